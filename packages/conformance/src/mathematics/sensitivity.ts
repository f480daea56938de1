import type { HostArray } from '@flow-matching/tensor';
import { evaluateInDouble, type Arrays, type NamedFormula } from './evaluate.ts';

const step = 2 ** -20;

/**
 * The sensitivity of a formula's outputs to its inputs: |Q| + Σ |∂Q/∂input|·(1 + |input|), by differences in f64. Times the
 * unit round-off, it is the smallest error to expect of any computation with that precision, because rounding the inputs has
 * that effect.
 *
 * @param inputs each [rows] or [rows, ...event]; rows are independent. Times are called `t` and move away from the nearer end
 *   of [0, 1], by less if 1 − t is small, as 1 − t is exact.
 */
export function sensitivity(formula: NamedFormula, inputs: Arrays): Record<string, Float64Array> {
  const values = evaluateInDouble(formula, inputs);
  const sizes = Object.fromEntries(
    Object.entries(values).map(([name, { data }]) => [name, Float64Array.from(data, Math.abs)]),
  );
  for (const moved of neighbours(inputs)) {
    const others = evaluateInDouble(formula, moved);
    for (const [name, size] of Object.entries(sizes)) {
      const [at, beside] = [values[name].data, others[name].data];
      size.forEach((_, i) => (size[i] += Math.abs(beside[i] - at[i]) / step));
    }
  }
  return sizes;
}

/** The inputs with one coordinate perturbed, in all rows at once. */
function* neighbours(inputs: Arrays): Generator<Arrays> {
  for (const [name, array] of Object.entries(inputs)) {
    const width = array.data.length / array.shape[0];
    for (let coordinate = 0; coordinate < width; coordinate++) {
      yield { ...inputs, [name]: moved(array, (i) => i % width === coordinate, name === 't' ? timeStep : valueStep) };
    }
  }
}

const timeStep = (t: number): number => (t < 0.5 ? step : -step * Math.min(1, 16 * (1 - t)));
const valueStep = (value: number): number => step * (1 + Math.abs(value));

const moved = (
  { data, shape, dtype }: HostArray,
  moves: (index: number) => boolean,
  by: (value: number) => number,
): HostArray => ({
  data: Float64Array.from(data, (value, i) => (moves(i) ? value + by(value) : value)),
  shape,
  dtype,
});
