import type { Shape, TypedArray } from '@flow-matching/tensor';

/** Reorders elements from Fortran order (first index fastest) to C order (last index fastest). */
export function rowMajor<Data extends TypedArray>(columnMajor: Data, shape: Shape): Data {
  if (shape.length < 2) return columnMajor;
  const ordered = columnMajor.slice() as Data;
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((size, extent) => size * extent, 1));
  const index = shape.map(() => 0);
  const [last, run] = [shape.length - 1, strides.at(-1)!];
  let from = 0;
  for (let to = 0; to < ordered.length; to += shape[last]) {
    for (let i = 0; i < shape[last]; i++) ordered[to + i] = columnMajor[from + i * run];
    // The next row: an odometer without the last digit.
    for (let axis = last - 1; axis >= 0; axis--) {
      index[axis]++;
      from += strides[axis];
      if (index[axis] < shape[axis]) break;
      from -= index[axis] * strides[axis];
      index[axis] = 0;
    }
  }
  return ordered;
}
