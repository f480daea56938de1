import { BackendError } from '@flow-matching/tensor';

/** `elements` of an engine whose memory is not on the host. */
export function notOnHost(): never {
  throw new BackendError('The elements are not in the memory of this process.', { expected: 'an engine on the host' });
}
