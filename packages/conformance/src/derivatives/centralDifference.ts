import type { HostArray } from '@flow-matching/tensor';

/** The truncation error of the differences is about step⁴, their rounding error 1e-16 / step. */
const step = 2e-4;

/** The error of {@link centralDifference} for smooth functions, relative to values above 1. */
export const differenceError = 1e-9;

/** The derivative of `f` along a direction by central differences of fourth order, in f64. */
export function centralDifference(
  f: (at: readonly HostArray[]) => readonly HostArray[],
  at: readonly HostArray[],
  along: readonly HostArray[],
): HostArray[] {
  const shifted = (by: number): readonly HostArray[] => f(at.map((x, i) => moved(x, by, along[i])));
  const [near, far] = [step, 2 * step].map((by) => ({ above: shifted(by), below: shifted(-by) }));
  const slope = (i: number, j: number): number =>
    (8 * (near.above[i].data[j] - near.below[i].data[j]) - (far.above[i].data[j] - far.below[i].data[j])) / (12 * step);
  return near.above.map(({ data, shape, dtype }, i) => ({
    data: Float64Array.from(data, (_, j) => slope(i, j)),
    shape,
    dtype,
  }));
}

/** a + factor · b. */
const moved = (a: HostArray, factor: number, b: HostArray): HostArray => ({
  ...a,
  data: Float64Array.from(a.data, (value, i) => value + factor * b.data[i]),
});
