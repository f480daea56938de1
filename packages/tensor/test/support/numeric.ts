import { evaluateGraph } from '../../src/reference/evaluateGraph.ts';
import { Graph, input } from '../../src/graph/graph.ts';
import type { Tensor } from '../../src/graph/tensor.ts';
import { hostRandomNormal, hostRandomUniform } from '../../src/random/host.ts';
import { hostArray, type HostArray } from '../../src/tensor/hostArray.ts';
import { sizeOf, type Shape } from '../../src/tensor/shape.ts';

export type Formula = (...xs: Tensor[]) => readonly Tensor[];

/** A formula's graph over inputs of the given types. */
export function graphOf(formula: Formula, types: readonly Pick<HostArray, 'shape' | 'dtype'>[]): Graph {
  const inputs = types.map((type, i) => ({ name: `${i}`, tensor: input(`${i}`, type) }));
  const outputs = formula(...inputs.map(({ tensor }) => tensor));
  return new Graph(
    inputs,
    outputs.map((tensor, i) => ({ name: `${i}`, tensor })),
  );
}

/** Runs a graph of positional ports on the reference. */
export function run(graph: Graph, inputs: readonly HostArray[]): HostArray[] {
  const results = evaluateGraph(graph, Object.fromEntries(inputs.map((value, i) => [`${i}`, value])));
  return graph.outputs.map(({ name }) => results[name]);
}

/** What a formula computes, on the reference. */
export const evaluate = (formula: Formula, inputs: readonly HostArray[] = []): HostArray[] =>
  run(graphOf(formula, inputs), inputs);

/** The numbers of a formula's single output. */
export const numbers = (formula: (...xs: Tensor[]) => Tensor, inputs: readonly HostArray[] = []): number[] =>
  Array.from(evaluate((...xs) => [formula(...xs)], inputs)[0].data);

const key = (seed: number): Uint32Array => Uint32Array.of(seed, 0x7e57);

/** Standard normals, f64, equal for equal seeds. */
export const normals = (shape: Shape, seed: number): HostArray =>
  widened(hostRandomNormal(key(seed), new Uint32Array(4), [1, sizeOf(shape)]), shape);

/** Uniforms on [low, high), f64, equal for equal seeds. */
export function uniforms(shape: Shape, seed: number, low = 0, high = 1): HostArray {
  const { data } = widened(hostRandomUniform(key(seed), new Uint32Array(4), [1, sizeOf(shape)]), shape);
  return hostArray(
    Float64Array.from(data, (u) => low + (high - low) * u),
    shape,
  );
}

const widened = ({ data }: HostArray, shape: Shape): HostArray => hostArray(Float64Array.from(data), shape);

/** ⟨a, b⟩ over lists of arrays. */
export const inner = (as: readonly HostArray[], bs: readonly HostArray[]): number =>
  as.reduce(
    (sum, a, i) => sum + Array.from(a.data, (value, j) => value * bs[i].data[j]).reduce((part, term) => part + term, 0),
    0,
  );

/** The largest |a − b|, relative where both are large. */
export function distance(as: readonly HostArray[], bs: readonly HostArray[]): number {
  let worst = 0;
  as.forEach(({ data }, i) =>
    data.forEach((a, j) => {
      const b = bs[i].data[j];
      const error =
        a === b || (Number.isNaN(a) && Number.isNaN(b)) ? 0 : Math.abs(a - b) / Math.max(1, Math.abs(a), Math.abs(b));
      // A NaN on one side only is as wrong as can be.
      worst = Math.max(worst, Number.isNaN(error) ? Infinity : error);
    }),
  );
  return worst;
}
