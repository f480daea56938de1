import { BackendError, formatType, UnsupportedError, type Graph } from '@flow-matching/core';
import type { AdapterProfile } from '../compiler/adapterProfile.ts';
import { bytesOf } from '../memory/planMemory.ts';
import { kernelDTypes } from '../wgsl/types.ts';

/** @throws UnsupportedError for a tensor of a dtype that kernels have not; BackendError for one that no kernel can have as a whole. */
export function checkLimits(graph: Graph, { storageBufferBytes }: AdapterProfile): void {
  for (const node of graph.nodes) {
    for (const tensor of node.outputs) {
      if (!kernelDTypes.includes(tensor.dtype)) {
        throw new UnsupportedError(`The webgpu backend has no ${tensor.dtype}.`, {
          actual: tensor.toString(),
          expected: kernelDTypes.join(', '),
          callSite: node.callSite,
        });
      }
      if (bytesOf(tensor) > storageBufferBytes) {
        throw new BackendError(`${node.operator.name} gives ${formatType(tensor)}, ${bytesOf(tensor)} bytes.`, {
          actual: bytesOf(tensor),
          expected: `at most ${storageBufferBytes} bytes a tensor (maxStorageBufferBindingSize of the adapter)`,
          remedy: 'Use smaller batches.',
          callSite: node.callSite,
        });
      }
    }
  }
}
