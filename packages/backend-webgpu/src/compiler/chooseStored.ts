import { type Graph, type Tensor } from '@flow-matching/tensor';
import { loweringOf } from '../lowering/index.ts';

/** An expression of this many operations is as cheap to recompute as its result is to read. */
const cheap = 6;
/** Operations that may be spent recomputing an element before it is stored instead. */
const recomputationBudget = 64;

/**
 * Chooses the tensors that are kept in memory between kernels: inputs and outputs, results of products and reductions, operands
 * of products, and values that would otherwise be recomputed too often. All others are computed where they are used.
 */
export function chooseStored(graph: Graph): Set<Tensor> {
  const costs = inlineCosts(graph);
  const stored = new Set<Tensor>(graph.outputs.map(({ tensor }) => tensor));
  /** For each tensor, the kept results that need it, and the total number of its elements that each computes. */
  const demands = new Map<Tensor, Map<Tensor, number>>();
  const demand = (tensor: Tensor, root: Tensor, elements: number): void => {
    const of = demands.get(tensor) ?? new Map<Tensor, number>();
    demands.set(tensor, of);
    // Several uses within one kernel share the computed value.
    of.set(root, Math.max(of.get(root) ?? 0, elements));
  };
  for (const node of graph.nodes.toReversed()) {
    const [tensor] = node.outputs;
    const { name } = node.operator;
    if (name === 'Input') {
      stored.add(tensor);
      continue;
    }
    const own = demands.get(tensor) ?? new Map<Tensor, number>();
    const { kind } = loweringOf(node);
    const cost = costs.get(tensor)!;
    const evaluations = [...own.values()].reduce((sum, elements) => sum + elements, 0) / Math.max(1, tensor.size);
    const repeated =
      kind !== 'view' && (cost === Infinity || (cost > cheap && (evaluations - 1) * cost > recomputationBudget));
    if (kind === 'product' || kind === 'reduction' || repeated || (name === 'Constant' && tensor.size > 1))
      stored.add(tensor);
    if (kind === 'product') for (const operand of node.inputs) stored.add(underViews(operand));
    const roots = stored.has(tensor) ? new Map([[tensor, tensor.size]]) : own;
    for (const input of node.inputs) {
      // An element of a reduction needs many of its operand; one of a concatenation needs one of one operand.
      const share = kind === 'reduction' || name === 'Concat' ? input.size / Math.max(1, tensor.size) : 1;
      for (const [root, elements] of roots) demand(input, root, elements * share);
    }
  }
  return stored;
}

/** Operations per element, starting from tensors that are always in memory. */
function inlineCosts(graph: Graph): Map<Tensor, number> {
  const costs = new Map<Tensor, number>();
  for (const node of graph.nodes) {
    if (node.operator.name === 'Input') continue;
    const { cost, kind } = loweringOf(node);
    const inner = kind === 'product' || kind === 'reduction' ? [] : node.inputs;
    costs.set(
      node.outputs[0],
      // Values computed once for many elements will be kept.
      inner.reduce((sum, input) => {
        const share = Math.min(1, input.size / Math.max(1, node.outputs[0].size));
        return sum + (isKept(input) ? 0 : costs.get(input)! * share);
      }, cost),
    );
  }
  return costs;
}

/** Whether a tensor is always in memory. */
function isKept({ node }: Tensor): boolean {
  if (node.operator.name === 'Input') return true;
  const { kind, cost } = loweringOf(node);
  return kind === 'product' || kind === 'reduction' || cost === Infinity;
}

/** The tensor at the end of a chain of views. */
export function underViews(tensor: Tensor): Tensor {
  let below = tensor;
  while (below.node.operator.name !== 'Input' && loweringOf(below.node).kind === 'view') below = below.node.inputs[0];
  return below;
}
