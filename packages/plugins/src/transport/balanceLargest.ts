import type { Stepwise } from '@flow-matching/tensor';
import { endsStretch, inStretches } from './stretches.ts';

/** The parts of the tolerance for entries that are left out and for those that are kept. */
const [leftOut, kept] = [0.1, 0.9];
/** Above this fraction of the entries, lists of them take longer than the whole kernel. */
const largestShare = 0.4;

export interface BalanceOptions {
  /** Mean |row sum − 1| at which to stop. */
  readonly tolerance: number;
  readonly maxIterations: number;
}

/**
 * Sinkhorn's iteration over the large entries of a kernel [size, size]: without the others, no row loses more than a tenth of
 * the tolerance under the given scalings. If the entropy has little weight, most entries are far smaller and many iterations
 * are needed. Rescales `left` and `right` in place; does nothing if too many entries are large.
 *
 * @returns the number of iterations.
 */
export function* balanceLargest(
  kernel: Float64Array,
  left: Float64Array,
  right: Float64Array,
  { tolerance, maxIterations }: BalanceOptions,
): Stepwise<number> {
  const size = left.length;
  const entries = yield* largest(kernel, left, right, (leftOut * tolerance) / size);
  if (!entries) return 0;
  const { starts, columns, values } = entries;
  const sums = new Float64Array(size);
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    let imbalance = 0;
    sums.fill(0);
    yield* inStretches(size, Math.ceil(starts[size] / size), (firstRow, endRow) => {
      let off = imbalance;
      for (let i = firstRow; i < endRow; i++) {
        const [first, end] = [starts[i], starts[i + 1]];
        let sum = 0;
        for (let at = first; at < end; at++) sum += values[at] * right[columns[at]];
        off += Math.abs(left[i] * sum - 1);
        const scale = 1 / sum;
        left[i] = scale;
        for (let at = first; at < end; at++) sums[columns[at]] += values[at] * scale;
      }
      imbalance = off;
    });
    for (let j = 0; j < size; j++) right[j] = 1 / sums[j];
    if (imbalance <= kept * tolerance * size) return iteration + 1;
  }
  return maxIterations;
}

interface Entries {
  /** Where each row starts, and the end. */
  readonly starts: Int32Array;
  readonly columns: Int32Array;
  readonly values: Float64Array;
}

/** Entries that exceed `least` when scaled; undefined if there are too many. */
function* largest(
  kernel: Float64Array,
  left: Float64Array,
  right: Float64Array,
  least: number,
): Stepwise<Entries | undefined> {
  const size = left.length;
  const most = Math.floor(largestShare * kernel.length);
  const starts = new Int32Array(size + 1);
  const columns = new Int32Array(most);
  const values = new Float64Array(most);
  const takeRow = (i: number): void => {
    const scale = left[i];
    let count = starts[i];
    for (let j = 0, at = i * size; j < size; j++, at++) {
      const value = kernel[at];
      if (scale * value * right[j] <= least) continue;
      if (count < most) {
        columns[count] = j;
        values[count] = value;
      }
      count++;
    }
    starts[i + 1] = count;
  };
  for (let i = 0; i < size; i++) {
    takeRow(i);
    if (starts[i + 1] > most) return undefined;
    if (endsStretch(i, size)) yield;
  }
  return { starts, columns, values };
}
