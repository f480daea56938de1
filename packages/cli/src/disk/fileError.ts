import { oneLine } from '@flow-matching/tensor';
import { FileError } from '../errors.ts';

const reasons: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  ENOENT: ['there is no such file or directory', 'Check the path.'],
  EACCES: ['permission is denied', 'Check the permissions, or choose another place.'],
  EPERM: ['the operation is not permitted', 'Check the permissions, or choose another place.'],
  EROFS: ['the file system is read-only', 'Choose another place.'],
  EISDIR: ['it is a directory', 'Name a file.'],
  ENOTDIR: ['a part of the path is a file', 'Check the path.'],
  EEXIST: ['it exists already', 'Choose another name, or remove it.'],
  ENOSPC: ['the disk is full', 'Free some space and try again; what was saved before is untouched.'],
  EDQUOT: ['the disk quota is used up', 'Free some space and try again; what was saved before is untouched.'],
  EFBIG: ['the file would be larger than is allowed', 'Raise the limit, or choose another place.'],
};

export const systemCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error ? String(error.code) : undefined;

/** Turns a system error into one that says which operation failed on which file, and what to do. */
export function fileError(doing: string, path: string, cause: unknown): FileError {
  const code = systemCode(cause);
  const [reason, remedy] = reasons[code ?? ''] ?? [cause instanceof Error ? cause.message : String(cause), undefined];
  return new FileError(`Cannot ${doing} ${oneLine(path)}: ${reason}${code ? ` (${code})` : ''}.`, {
    actual: path,
    cause,
    ...(remedy !== undefined && { remedy }),
  });
}
