import { randomBytes } from 'node:crypto';
import { dirname, join, basename } from 'node:path';
import { nodeDisk, type Disk } from './disk.ts';
import { fileError } from './fileError.ts';
import { isUnsupported } from './unsupported.ts';

/** Temporary names start with a dot and have this suffix, so that {@link removeLeftovers} finds files of a killed process. */
export const temporarySuffix = '.partial';

/**
 * Replaces a file atomically: at every moment the path has the old or the new content. The file is written under a temporary
 * name in the same folder, synced and renamed, and the folder is synced if the file system supports it, so that the file also
 * survives a power failure.
 *
 * @throws FileError naming the file, if the disk is full or refuses; the old content is kept and the temporary file is removed.
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
    // Network file systems do not sync folders. The file is in place; only a power failure could still undo the renaming.
    if (!isUnsupported(cause)) throw fileError('sync', path, cause);
  }
}
