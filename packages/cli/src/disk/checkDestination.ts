import { oneLine } from '@flow-matching/tensor';
import { access, constants, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import { fileError, systemCode } from './fileError.ts';

/**
 * Checks, before the work, that a file can be written afterwards. Creates nothing.
 *
 * @param option its name on the command line
 * @throws UsageError if its directory does not exist, or if it is itself a directory; FileError if its directory is not
 *   writable.
 */
export async function checkFileDestination(option: string, path: string): Promise<void> {
  const parent = dirname(path);
  const kind = await kindOf(parent);
  if (kind !== 'directory') {
    throw new UsageError(
      kind === 'absent'
        ? `There is no directory ${oneLine(parent)} to write ${oneLine(basename(path))} to.`
        : `${option} ${oneLine(path)} lies in ${oneLine(parent)}, which is not a directory.`,
      { actual: path, expected: 'a directory that exists' },
    );
  }
  if (path.endsWith('/') || (await kindOf(path)) === 'directory') {
    throw new UsageError(`${option} ${oneLine(path)} is a directory.`, {
      actual: path,
      expected: 'a file',
      remedy: 'Name a file in it.',
    });
  }
  await checkWritable(parent, path);
}

/**
 * Checks, before the work, that files can be written to a directory afterwards, which may not exist yet. Creates nothing.
 *
 * @param option its name on the command line
 * @throws UsageError if it or one of its parents is a file; FileError if it cannot be created or is not writable.
 */
export async function checkDirectoryDestination(option: string, path: string): Promise<void> {
  let existing = resolve(path);
  let kind = await kindOf(existing);
  while (kind === 'absent' && dirname(existing) !== existing) {
    existing = dirname(existing);
    kind = await kindOf(existing);
  }
  if (kind !== 'directory') {
    const itself = existing === resolve(path);
    throw new UsageError(
      itself
        ? `${option} ${oneLine(path)} is not a directory.`
        : `${option} ${oneLine(path)} lies in ${oneLine(existing)}, which is not a directory.`,
      { actual: path, expected: 'a directory, or a path where one can be made' },
    );
  }
  await checkWritable(existing, path);
}

async function kindOf(path: string): Promise<'directory' | 'other' | 'absent'> {
  try {
    return (await stat(path)).isDirectory() ? 'directory' : 'other';
  } catch (cause) {
    // ENOTDIR: a part of the path is a file; checking the parent directory reports it.
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(cause) ?? '')) return 'absent';
    throw fileError('use', path, cause);
  }
}

async function checkWritable(directory: string, path: string): Promise<void> {
  try {
    await access(directory, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw fileError('write', path, cause);
  }
}
