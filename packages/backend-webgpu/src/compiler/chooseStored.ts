import { type Graph, type Tensor } from '@flow-matching/tensor';
import { loweringOf } from '../lowering/index.ts';

/** An expression of this many operations is as cheap to recompute as its result is to read. */
const cheap = 6;
/** Operations that may be spent recomputing an element before it is stored instead. */
const recomputationBudget = 64;

/**
 * Which tensors are kept in memory between kernels: what comes in and goes out, what products and reductions give, operands of products, and
 * whatever else would be computed again too often. All others are computed where they are used.
 */
export function chooseStored(graph: Graph): Set<Tensor> {
  const costs = inlineCosts(graph);
  const stored = new Set<Tensor>(graph.outputs.map(({ tensor }) => tensor));
  /** For each tensor, what kept results need it and how many of its elements each computes in all. */
  const demands = new Map<Tensor, Map<Tensor, number>>();
  const demand = (tensor: Tensor, root: Tensor, elements: number): void => {
    const of = demands.get(tensor) ?? new Map<Tensor, number>();
    demands.set(tensor, of);
    // Several uses within one kernel share what is computed.
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
      // An element of a reduction takes many of its operand; one of a concatenation takes one of some operand.
      const share = kind === 'reduction' || name === 'Concat' ? input.size / Math.max(1, tensor.size) : 1;
      for (const [root, elements] of roots) demand(input, root, elements * share);
    }
  }
  return stored;
}

/** Operations that an element takes from what is in memory in any case. */
function inlineCosts(graph: Graph): Map<Tensor, number> {
  const costs = new Map<Tensor, number>();
  for (const node of graph.nodes) {
    if (node.operator.name === 'Input') continue;
    const { cost, kind } = loweringOf(node);
    const inner = kind === 'product' || kind === 'reduction' ? [] : node.inputs;
    costs.set(
      node.outputs[0],
      // What is computed once for many elements will be kept.
      inner.reduce((sum, input) => {
        const share = Math.min(1, input.size / Math.max(1, node.outputs[0].size));
        return sum + (isKept(input) ? 0 : costs.get(input)! * share);
      }, cost),
    );
  }
  return costs;
}

/** Whether a tensor is in memory whoever uses it. */
function isKept({ node }: Tensor): boolean {
  if (node.operator.name === 'Input') return true;
  const { kind, cost } = loweringOf(node);
  return kind === 'product' || kind === 'reduction' || cost === Infinity;
}

/** What a chain of views looks at. */
export function underViews(tensor: Tensor): Tensor {
  let below = tensor;
  while (below.node.operator.name !== 'Input' && loweringOf(below.node).kind === 'view') below = below.node.inputs[0];
  return below;
}
