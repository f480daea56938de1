import * as operators from '../operators/reduction.ts';
import { sizeOf, stridesOf } from '../tensor/shape.ts';
import { eachIndex, kernel, numeric, positionOf, zeroed, type Evaluate, type Kernel } from './kernel.ts';

/** Folds elements into the result, which is initialized with `start`. */
const reduce =
  (
    start: (dtype: string) => number,
    fold: (sum: number, element: number) => number,
  ): Evaluate<operators.ReduceAttributes> =>
  ({ attributes: { axes }, outputs: [{ shape, dtype }] }, [{ data, shape: from }]) => {
    const result = zeroed(dtype, sizeOf(shape)).fill(start(dtype));
    const kept = stridesOf(from.map((extent, axis) => (axes.includes(axis) ? 1 : extent))).map((stride, axis) =>
      axes.includes(axis) ? 0 : stride,
    );
    eachIndex(from, (index, position) => {
      const target = positionOf(index, kept);
      result[target] = fold(result[target], data[position]);
    });
    return result;
  };

const lowest = (dtype: string): number => (dtype === 'i32' ? -(2 ** 31) : dtype === 'u32' ? 0 : -Infinity);
const highest = (dtype: string): number => (dtype === 'i32' ? 2 ** 31 - 1 : dtype === 'u32' ? 2 ** 32 - 1 : Infinity);

export const reduction: readonly Kernel[] = [
  kernel(
    operators.ReduceSum,
    numeric,
    reduce(
      () => 0,
      (sum, element) => sum + element,
    ),
  ),
  kernel(operators.ReduceMax, numeric, reduce(lowest, Math.max)),
  kernel(operators.ReduceMin, numeric, reduce(highest, Math.min)),
];
