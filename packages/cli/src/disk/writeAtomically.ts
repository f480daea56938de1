import { randomBytes } from 'node:crypto';
import { dirname, join, basename } from 'node:path';
import { nodeDisk, type Disk } from './disk.ts';
import { fileError } from './fileError.ts';
import { isUnsupported } from './unsupported.ts';

/** Temporary names start with a dot and end so, for {@link removeLeftovers} to find what a killed process left behind. */
export const temporarySuffix = '.partial';

/**
 * Replaces a file as a whole: at every instant the path holds the old content or the new one. Written under a temporary name in
 * the same folder, synced, renamed, and the folder synced where the file system can, so that it also survives a power cut.
 *
 * @throws FileError naming the file, where the disk is full or refuses; the old content stays and the temporary file is removed.
 */
export async function writeAtomically(
  path: string,
  parts: Iterable<Uint8Array | string>,
  disk: Disk = nodeDisk,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}${temporarySuffix}`);
  try {
    const file = await disk.open(temporary, 'wx');
    try {
      for (const part of parts) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await disk.rename(temporary, path);
  } catch (cause) {
    await disk.rm(temporary, { force: true }).catch(() => {});
    throw fileError('write', path, cause);
  }
  await syncDirectory(dirname(path), disk);
}

async function syncDirectory(path: string, disk: Disk): Promise<void> {
  // Windows cannot open directories; its renames are durable without.
  if (process.platform === 'win32') return;
  try {
    const directory = await disk.open(path, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  } catch (cause) {
    // Network file systems do not sync folders. The file is in place; only a power cut could still undo the renaming.
    if (!isUnsupported(cause)) throw fileError('sync', path, cause);
  }
}
