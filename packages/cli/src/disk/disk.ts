import { link, open, rename, rm } from 'node:fs/promises';

/** The file system calls used for safe writing. Tests replace them: a full disk, a crash. */
export interface Disk {
  readonly link: typeof link;
  readonly open: typeof open;
  readonly rename: typeof rename;
  readonly rm: typeof rm;
}

export const nodeDisk: Disk = { link, open, rename, rm };
