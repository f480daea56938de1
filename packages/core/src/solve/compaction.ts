import { allocate, type TypedArray, type HostArray } from '@flow-matching/tensor';

/** Below this many rows a solve is not compacted: the fixed overhead of a step dominates. */
const fewestRows = 64;

/**
 * The number of rows, a power of two, with which `running` of `rows` samples continue; undefined while at least half of the
 * rows would be kept.
 */
export function compactedRows(running: number, rows: number): number | undefined {
  const target = Math.max(fewestRows, 2 ** Math.ceil(Math.log2(Math.max(1, running))));
  return target * 2 <= rows ? target : undefined;
}

const widthOf = ({ data, shape }: HostArray): number => data.length / shape[0];

/** The chosen rows of an array, padded to `rows` by repeating the first of them. */
export function takeRows(array: HostArray, chosen: ArrayLike<number>, rows: number): HostArray {
  const width = widthOf(array);
  const data = likeStorage(array, rows * width);
  for (let i = 0; i < rows; i++) {
    const row = chosen[i < chosen.length ? i : 0];
    data.set(array.data.subarray(row * width, (row + 1) * width), i * width);
  }
  return { data, shape: [rows, ...array.shape.slice(1)], dtype: array.dtype };
}

/** Writes the first rows of `part` to the given rows of `whole`. */
export function putRows(whole: HostArray, part: HostArray, rows: ArrayLike<number>): void {
  const width = widthOf(whole);
  for (let i = 0; i < rows.length; i++) whole.data.set(part.data.subarray(i * width, (i + 1) * width), rows[i] * width);
}

/** A backend may return more precision than the dtype (the reference does). */
function likeStorage({ data, dtype }: HostArray, length: number): TypedArray {
  return data instanceof Float64Array ? new Float64Array(length) : allocate(dtype, length);
}
