import type { Stepwise } from '@flow-matching/tensor';

/** Number of entries between two pauses of a computation over rows: some microseconds of work, compared with which a pause is cheap. */
const stretch = 2 ** 14;

/** Number of rows of `size` entries between two pauses of a stepwise computation. */
export const rowsPerStretch = (size: number): number => Math.ceil(stretch / size);

/** Whether a stepwise computation should pause after `row`, counted from 0, with rows of `size` entries. */
export const endsStretch = (row: number, size: number): boolean => (row + 1) % rowsPerStretch(size) === 0;

/** Calls `work` for all of `count` rows of `size` entries, a stretch of rows at a time, and pauses after each. */
export function* inStretches(count: number, size: number, work: (first: number, end: number) => void): Stepwise<void> {
  const rows = rowsPerStretch(size);
  for (let first = 0; first < count; first += rows) {
    work(first, Math.min(first + rows, count));
    yield;
  }
}
