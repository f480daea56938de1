import {
  constant,
  inlineComposites,
  isFloat,
  rebuild,
  rewriteGraph,
  type Graph,
  type HostRandomStream,
  type Node,
  type Shape,
  type Tensor,
  type TypedArray,
} from '@flow-matching/tensor';
import { unitRoundOff } from '../case/limit.ts';

/** Operators whose results are elements of their inputs, or integers: they do not round. */
const exactOperators = new Set(
  (
    'Input Abs Neg Sign Floor Round Max Min Where Identity Barrier StopGradient Reshape Transpose Expand Slice Concat Pad Gather ' +
    'ReduceMax ReduceMin'
  ).split(' '),
);

/**
 * The graph of primitives in which every result that f32 rounds is off by a unit round-off, up or down at random. Run in f64,
 * it simulates a computation in f32.
 */
export const withRoundings = (graph: Graph, random: HostRandomStream): Graph =>
  rewriteGraph(inlineComposites(graph), (node, operands) => {
    const results = rebuild(node, operands);
    return isExact(node) ? results : results.map((result) => rounded(result, random));
  });

/** Constants are exact if f32 can represent them, and so are results of constants alone: exponents, counts. */
function isExact({ operator, inputs, attributes }: Node): boolean {
  if (operator.name === 'Constant')
    return (attributes['data'] as TypedArray).every((value) => Object.is(Math.fround(value), value));
  return (
    exactOperators.has(operator.name) || (inputs.length > 0 && inputs.every(({ node }) => isMadeOfConstants(node)))
  );
}

const isMadeOfConstants = ({ operator, inputs }: Node): boolean =>
  operator.name === 'Constant' || (inputs.length > 0 && inputs.every(({ node }) => isMadeOfConstants(node)));

const rounded = (tensor: Tensor, random: HostRandomStream): Tensor =>
  isFloat(tensor.dtype) ? tensor.mul(constant(roundings(tensor.shape, random), tensor.dtype, tensor.shape)) : tensor;

/** 1 ± a unit round-off. */
export function roundings(shape: Shape, random: HostRandomStream): Float64Array {
  const unit = unitRoundOff('f32');
  return Float64Array.from(random.uniform(shape, -1, 1).data, (u) => (u < 0 ? 1 - unit : 1 + unit));
}
