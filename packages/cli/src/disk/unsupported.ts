import { systemCode } from './fileError.ts';

const codes = new Set([
  'EINVAL',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EPERM',
  'EACCES',
  'EXDEV',
  'EMLINK',
  'EISDIR',
  'EBADF',
]);

/** Whether a call failed because this file system (of a network or container) does not support it. */
export const isUnsupported = (error: unknown): boolean => codes.has(systemCode(error) ?? '');
