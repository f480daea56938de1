import {
  apply,
  rebuild,
  reshape,
  rewriteGraph,
  type Graph,
  type Node,
  type ReduceAttributes,
  type Tensor,
} from '@flow-matching/tensor';
import { retyped } from '../lowering/retype.ts';
import { reducedAxes, reducedCount, reducers } from '../lowering/reduction.ts';
import type { AdapterProfile } from './adapterProfile.ts';

/** Thresholds of rows and elements per row for a reduction in two steps. */
interface Threshold {
  readonly mostRows: number;
  readonly leastElements: number;
}

const ofProcessors: Threshold = { mostRows: 16, leastElements: 4096 };
const ofGpus: Threshold = { mostRows: 8192, leastElements: 1024 };

/** Fewer elements than this are not worth a separate part. */
const leastShare = 64;

/** Splits reductions of many elements to few into two steps, so that the first has enough workgroups. */
export function splitReductions(graph: Graph, { software }: AdapterProfile): Graph {
  const threshold = software ? ofProcessors : ofGpus;
  return rewriteGraph(graph, (node, inputs) => {
    if (node.operator.name in reducers) {
      const shares = sharesOf(node, threshold);
      if (shares > 1) return [inTwoSteps(node, inputs[0], shares)];
    }
    return rebuild(node, inputs);
  });
}

/** The number of equal parts of a row; 1 if it is not split. */
function sharesOf(node: Node, { mostRows, leastElements }: Threshold): number {
  const count = reducedCount(node);
  if (node.outputs[0].size > mostRows || count < leastElements) return 1;
  const { axes, extents } = reducedAxes(node);
  // Axes that are not adjacent cannot be split as one.
  if (axes.some((axis, i) => i > 0 && axis !== axes[i - 1] + 1)) return 1;
  const length = extents.reduce((product, extent) => product * extent, 1);
  for (let shares = Math.min(1024, Math.floor(length / leastShare)); shares > 1; shares--)
    if (length % shares === 0) return shares;
  return 1;
}

function inTwoSteps(
  { operator, inputs: [{ shape }], outputs: [result], attributes }: Node,
  x: Tensor,
  shares: number,
): Tensor {
  const axes = (attributes as unknown as ReduceAttributes).axes.toSorted((a, b) => a - b);
  const [before, after] = [shape.slice(0, axes[0]), shape.slice(axes.at(-1)! + 1)];
  const length = shape.slice(axes[0], axes.at(-1)! + 1).reduce((product, extent) => product * extent, 1);
  // Parts of an f16 sum stay in f32.
  const exact = x.dtype === 'f16' && operator.name === 'ReduceSum' ? retyped(x, 'f32') : x;
  const cut = reshape(exact, [...before, shares, length / shares, ...after]);
  const reduce = (of: Tensor, axis: number): Tensor => apply(operator, [of], { axes: [axis], keepdims: false })[0];
  return retyped(reshape(reduce(reduce(cut, before.length + 1), before.length), result.shape), x.dtype);
}
