import { BackendError, formatType, type Graph } from '@flow-matching/core';
import type { AdapterProfile } from '../compiler/adapterProfile.ts';
import { bytesOf } from '../memory/planMemory.ts';

/** @throws BackendError for a tensor that no kernel can have as a whole. */
export function checkLimits(graph: Graph, { storageBufferBytes }: AdapterProfile): void {
  for (const node of graph.nodes) {
    for (const tensor of node.outputs) {
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
