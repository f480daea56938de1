import { reachableNodes } from '../graph/graph.ts';
import type { Node } from '../graph/node.ts';
import { substitute } from '../graph/rewrite.ts';
import type { Tensor } from '../graph/tensor.ts';
import { identity } from '../operators/movement.ts';

/** Nodes between `sources` and `outputs`, ascending: those whose value depends on a source. The walk stops at sources. */
export function nodesBetween(sources: readonly Tensor[], outputs: readonly Tensor[]): Node[] {
  const cut = new Set(sources);
  const moving = new Set<Tensor>(sources);
  return reachableNodes(outputs, (tensor) => cut.has(tensor)).filter((node) => {
    const moves = node.inputs.some((tensor) => moving.has(tensor));
    if (moves) for (const tensor of node.outputs) moving.add(tensor);
    return moves;
  });
}

/**
 * A composite's decomposition over renamed inputs, for derivatives that the composite has no rule for. Renaming distinguishes
 * the uses of a tensor that is passed twice.
 */
export function decompose(node: Node): { inputs: Tensor[]; outputs: Tensor[] } {
  const inputs = node.inputs.map(identity);
  return { inputs, outputs: substitute(node.operator.body!(node.inputs, node.attributes), inputs) };
}
