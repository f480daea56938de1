import { UnsupportedError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import type { Node } from '../graph/node.ts';
import type { DType } from '../tensor/dtype.ts';

/** What a backend can run: dtypes by operator or composite name. Input and Constant are implied. */
export type Manifest = ReadonlyMap<string, readonly DType[]>;

/** The dtype by which a node is looked up in a manifest: that of its widest-typed operand, else of its result. */
export function nodeDType(node: Node): DType {
  // The condition of Where and the indices of Gather do not determine the kernel.
  const operand = node.operator.name === 'Where' ? node.inputs[1] : node.inputs[0];
  return (operand ?? node.outputs[0]).dtype;
}

/** Whether a backend runs a node. A cast needs both its source and its target dtype. */
export function supports(manifest: Manifest, node: Node): boolean {
  const dtypes = manifest.get(node.operator.name);
  if (!dtypes?.includes(nodeDType(node))) return false;
  return node.operator.name !== 'Cast' || dtypes.includes(node.outputs[0].dtype);
}

/** The dtypes that at least one operator supports. */
export const dtypesOf = (manifest: Manifest): ReadonlySet<DType> => new Set([...manifest.values()].flat());

/** Throws an UnsupportedError that names the first node whose operator or dtype is not in `manifest`, and the user's line. */
export function checkSupported(graph: Graph, manifest: Manifest, backend: string): void {
  const known = dtypesOf(manifest);
  for (const node of graph.nodes) {
    if (node.operator.name === 'Input' || node.operator.name === 'Constant') {
      const [{ dtype }] = node.outputs;
      if (known.has(dtype)) continue;
      throw new UnsupportedError(`The ${backend} backend has no ${dtype}.`, {
        actual: node.outputs[0].toString(),
        expected: [...known].join(' or '),
        remedy: 'Use another dtype, or a backend that has it.',
        callSite: node.callSite,
      });
    }
    if (supports(manifest, node)) continue;
    const dtypes = manifest.get(node.operator.name);
    throw new UnsupportedError(`The ${backend} backend has no ${node.operator.name} for ${nodeDType(node)}.`, {
      actual: `${node.operator.name} ${nodeDType(node)}`,
      expected: dtypes
        ? `${node.operator.name} of ${dtypes.join(' or ')}`
        : `one of ${[...manifest.keys()].toSorted().join(', ')}`,
      remedy: 'Use another dtype or operator, or a backend that has it.',
      callSite: node.callSite,
    });
  }
}
