import { createReferenceBackend, type Tensor } from '@flow-matching/tensor';
import { evaluateOn } from './evaluate.ts';

const step = 2 ** -20;

/**
 * How sensitive a formula of times [rows] and points [rows, dimension] is to the rounding of its inputs: |Q| + Σ |∂Q|·(1 + |input|),
 * by differences on the reference. Times the round-off unit it is the error that any computation in that precision may show.
 */
export async function sizeOfRounding(
  formula: (inputs: Record<string, Tensor>) => Record<string, Tensor>,
  { t, x }: { t: readonly number[]; x: readonly (readonly number[])[] },
): Promise<Record<string, number[]>> {
  const backend = createReferenceBackend();
  const at = (times: readonly number[], points: readonly (readonly number[])[]): Promise<Record<string, number[]>> =>
    evaluateOn(backend, formula, { t: times, x: points });
  const values = await at(t, x);
  const moved = [
    // Away from the nearer end, so that no time leaves the interval.
    await at(
      t.map((time) => time + (time < 0.5 ? step : -step) * Math.min(1, 16 * (1 - time))),
      x,
    ),
    ...(await Promise.all(
      x[0].map((_, axis) =>
        at(
          t,
          x.map((row) => row.map((value, i) => (i === axis ? value + step * (1 + Math.abs(value)) : value))),
        ),
      ),
    )),
  ];
  await backend.dispose();
  return Object.fromEntries(
    Object.entries(values).map(([name, exact]) => [
      name,
      exact.map(
        (value, i) => Math.abs(value) + moved.reduce((sum, other) => sum + Math.abs(other[name][i] - value) / step, 0),
      ),
    ]),
  );
}
