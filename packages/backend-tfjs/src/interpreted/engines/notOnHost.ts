import { BackendError } from '@flow-matching/tensor';

/** Elements of an engine whose memory is elsewhere. */
export function notOnHost(): never {
  throw new BackendError('The elements are not in the memory of this process.', { expected: 'an engine on the host' });
}
