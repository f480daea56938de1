import { reachableNodes } from '../graph/graph.ts';
import type { Node } from '../graph/node.ts';
import { substitute } from '../graph/rewrite.ts';
import type { Tensor } from '../graph/tensor.ts';
import { identity } from '../operators/movement.ts';

/** Nodes between `sources` and `outputs`, ascending: those whose value moves when a source does. Sources cut the walk. */
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
 * A composite's decomposition over fresh names of its inputs, for derivatives that it has no rule of its own for. Fresh names
 * keep one tensor that is passed twice apart.
 */
export function decompose(node: Node): { inputs: Tensor[]; outputs: Tensor[] } {
  const inputs = node.inputs.map(identity);
  return { inputs, outputs: substitute(node.operator.body!(node.inputs, node.attributes), inputs) };
}
