import { link, open, rename, rm } from 'node:fs/promises';

/** The calls of the file system that writing safely rests on. Tests hand in others: a full disk, a crash. */
export interface Disk {
  readonly link: typeof link;
  readonly open: typeof open;
  readonly rename: typeof rename;
  readonly rm: typeof rm;
}

export const nodeDisk: Disk = { link, open, rename, rm };
