import {
  constant,
  evaluateGraph,
  inlineComposites,
  isFloat,
  rebuild,
  rewriteGraph,
  type Graph,
  type HostArray,
  type HostRandomStream,
  type Node,
  type Shape,
  type Tensor,
  type TypedArray,
} from '@flow-matching/core';
import { unitRoundOff } from '../case/limit.ts';

/** Operators whose results are elements of their inputs, or whole numbers: they round nothing. */
const exactOperators = new Set(
  (
    'Input Abs Neg Sign Floor Round Max Min Where Identity Barrier StopGradient Reshape Transpose Expand Slice Concat Pad Gather ' +
    'ReduceMax ReduceMin'
  ).split(' '),
);

/** Evaluations with roundings of their own. */
const draws = 8;

/**
 * How far roundings move a graph's outputs: the largest deviation of each element over evaluations in f64 in which every input, and every
 * result of a primitive operator that rounds, is off by a unit round-off of f32 up or down at random. It sees the conditioning of
 * everything between inputs and outputs; a sum's own roundings are as those of its terms.
 */
export function roundingEffect(
  graph: Graph,
  inputs: Readonly<Record<string, HostArray>>,
  random: HostRandomStream,
): Record<string, Float64Array> {
  const primitive = inlineComposites(graph);
  const exact = evaluateGraph(primitive, inputs);
  const effect = Object.fromEntries(
    Object.entries(exact).map(([name, { data }]) => [name, new Float64Array(data.length)]),
  );
  for (let draw = 0; draw < draws; draw++) {
    const noisy = rewriteGraph(primitive, (node, operands) => {
      const results = rebuild(node, operands);
      return isExact(node) ? results : results.map((result) => rounded(result, random));
    });
    const moved = Object.fromEntries(
      Object.entries(inputs).map(([name, array]) => [name, multiplied(array, factors(array.shape, random))]),
    );
    for (const [name, { data }] of Object.entries(evaluateGraph(noisy, moved))) {
      const sizes = effect[name];
      for (let i = 0; i < data.length; i++) {
        const deviation = Math.abs(data[i] - exact[name].data[i]);
        if (deviation > sizes[i]) sizes[i] = deviation;
      }
    }
  }
  return effect;
}

/** Constants are where they are numbers of f32, and so is what is made of constants alone: exponents, counts. */
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
  isFloat(tensor.dtype) ? tensor.mul(constant(factors(tensor.shape, random), tensor.dtype, tensor.shape)) : tensor;

/** 1 ± a unit round-off. */
function factors(shape: Shape, random: HostRandomStream): Float64Array {
  const unit = unitRoundOff('f32');
  return Float64Array.from(random.uniform(shape, -1, 1).data, (u) => (u < 0 ? 1 - unit : 1 + unit));
}

const multiplied = ({ data, shape, dtype }: HostArray, by: Float64Array): HostArray => ({
  data: isFloat(dtype) ? by.map((factor, i) => factor * data[i]) : data,
  shape,
  dtype,
});
