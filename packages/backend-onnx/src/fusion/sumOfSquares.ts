import {
  apply,
  rebuild,
  rewriteGraph,
  type Graph,
  type Operator,
  type ReduceAttributes,
  type Tensor,
} from '@flow-matching/tensor';
import { lowering, type Lowering } from '../lowering/lowering.ts';
import { reduction } from '../lowering/reduction.ts';
import { countUses } from './countUses.ts';

const ReduceSumSquare: Operator<ReduceAttributes> = {
  name: 'ReduceSumSquare',
  infer: ([x], { axes, keepdims }) => [
    {
      shape: keepdims
        ? x.shape.map((extent, i) => (axes.includes(i) ? 1 : extent))
        : x.shape.filter((_, i) => !axes.includes(i)),
      dtype: x.dtype,
    },
  ],
};

export const sumOfSquaresLowering: Lowering = lowering(
  ReduceSumSquare,
  ['f32', 'f64'],
  reduction('ReduceSumSquare', 0),
);

/** Fuses Σx² into one pass if nothing else needs the squares. */
export function fuseSumOfSquares(graph: Graph): Graph {
  const uses = countUses(graph);
  const isSquare = (square: Tensor): boolean => {
    const { operator, inputs } = square.node;
    return (
      operator.name === 'Mul' &&
      inputs[0] === inputs[1] &&
      uses.get(square) === 1 &&
      sumOfSquaresLowering.dtypes.includes(square.dtype)
    );
  };
  return rewriteGraph(graph, (node, inputs) =>
    node.operator.name === 'ReduceSum' && isSquare(node.inputs[0])
      ? apply(ReduceSumSquare, [inputs[0].node.inputs[0]], node.attributes as unknown as ReduceAttributes)
      : rebuild(node, inputs),
  );
}
