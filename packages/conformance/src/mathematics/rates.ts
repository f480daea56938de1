import type { Path } from '@flow-matching/core';
import type { HostArray } from '@flow-matching/tensor';
import { timesAt, valuesAt } from './pathSamples.ts';

/**
 * Time derivatives of a path's mean and std in f64 by central differences, extrapolated twice (Richardson), independent of
 * automatic differentiation. `widest` is the largest step, a small fraction of the distance of every row's time from the ends
 * of the interval; the default is for times at least 2⁻⁶ of the interval away from the ends.
 */
export function ratesByDifferences(
  path: Path,
  rows: { t: HostArray; x1: HostArray; x0?: HostArray },
  widest: number = lengthOf(path) * 2 ** -11,
): { meanRate: Float64Array; stdRate: Float64Array } {
  const levels = [widest, widest / 2, widest / 4].map((h) => {
    const [before, after] = [valuesAt(path, rows, -h), valuesAt(path, rows, h)];
    return (of: 'mean' | 'std') => after[of].map((value, i) => (value - before[of][i]) / (2 * h));
  });
  const rate = (of: 'mean' | 'std'): Float64Array => {
    const [a, b, c] = levels.map((level) => level(of));
    // Errors are series in h²: each extrapolation removes its first term.
    const first = [a, b].map((coarse, k) => [b, c][k].map((fine, i) => (4 * fine - coarse[i]) / 3));
    return first[1].map((fine, i) => (16 * fine - first[0][i]) / 15);
  };
  return { meanRate: rate('mean'), stdRate: rate('std') };
}

function lengthOf(path: Path): number {
  const [start, end] = timesAt(path, [0, 1]);
  return end - start;
}
