import type { Graph, Tensor } from '@flow-matching/tensor';

/** How often each tensor of a graph is read, including as an output. */
export function countUses(graph: Graph): ReadonlyMap<Tensor, number> {
  const uses = new Map<Tensor, number>();
  const count = (tensor: Tensor): void => void uses.set(tensor, (uses.get(tensor) ?? 0) + 1);
  for (const node of graph.nodes) node.inputs.forEach(count);
  for (const { tensor } of graph.outputs) count(tensor);
  return uses;
}
