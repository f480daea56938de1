import { BackendError, formatType, type Tensor } from '@flow-matching/tensor';
import type { AdapterProfile } from '../compiler/adapterProfile.ts';
import { bufferBytes } from './tensorBytes.ts';

/** @throws BackendError for a stored tensor that is too large for a kernel to bind. */
export function checkLimits(stored: ReadonlySet<Tensor>, { storageBufferBytes }: AdapterProfile): void {
  for (const tensor of stored) {
    if (bufferBytes(tensor) <= storageBufferBytes) continue;
    const { node } = tensor;
    throw new BackendError(`${node.operator.name} gives ${formatType(tensor)}, ${bufferBytes(tensor)} bytes.`, {
      actual: bufferBytes(tensor),
      expected: `at most ${storageBufferBytes} bytes a tensor (maxStorageBufferBindingSize of the adapter)`,
      remedy: 'Use smaller batches.',
      callSite: node.callSite,
    });
  }
}
