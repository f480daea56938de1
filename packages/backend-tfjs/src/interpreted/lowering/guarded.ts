import { splatValue, type Node, type ReduceAttributes } from '@flow-matching/tensor';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Operations } from '../operations.ts';
import { times, type Formula } from './composed.ts';

/** Replaces a kernel's wrong results by `value`. */
function corrected(operations: Operations, result: TensorInfo, where: TensorInfo, value: number): TensorInfo {
  const [condition, t] = [where, operations.filled(value, [], 'f32')].map((x) => operations.expand(x, result.shape));
  return operations.select(condition, t, result);
}

const equals = (operations: Operations, x: TensorInfo, value: number): TensorInfo =>
  operations.run('Equal', { a: x, b: operations.filled(value, [], 'f32') });

/** a ÷ b, for a kernel that returns 1 for all equal operands. */
export function quotient(
  operations: Operations,
  a: TensorInfo,
  b: TensorInfo,
  { inputs: [, divisor] }: Node,
): TensorInfo {
  const result = operations.run('RealDiv', { a, b });
  const known = splatValue(divisor);
  if (known !== undefined && Number.isFinite(known) && known !== 0) return result;
  const size = operations.run('Abs', { x: b });
  const extreme = operations.run('LogicalOr', { a: equals(operations, b, 0), b: equals(operations, size, Infinity) });
  const undefinedAt = operations.run('LogicalAnd', { a: operations.run('Equal', { a, b }), b: extreme });
  return corrected(operations, result, undefinedAt, Number.NaN);
}

/** log x, for a kernel that is finite at 0 and possibly for NaN. */
export const logarithm = (operations: Operations, x: TensorInfo): TensorInfo =>
  corrected(operations, keepingNaN('Log')(operations, x), equals(operations, x, 0), -Infinity);

/** A unary kernel that may lose NaN, with NaN restored. */
export const keepingNaN =
  (kernel: string): Formula =>
  (operations, x) =>
    corrected(operations, operations.run(kernel, { x }), operations.run('IsNan', { x }), Number.NaN);

/** a to the power of b, for a kernel that loses NaN or returns it instead of 1. 1 to any power, and anything to the power 0, is 1. */
export function power(operations: Operations, a: TensorInfo, b: TensorInfo): TensorInfo {
  const either = (left: TensorInfo, right: TensorInfo): TensorInfo =>
    operations.run('LogicalOr', { a: left, b: right });
  const [aIsNaN, bIsNaN] = [a, b].map((x) => operations.run('IsNan', { x }));
  const result = corrected(operations, operations.run('Pow', { a, b }), either(aIsNaN, bIsNaN), Number.NaN);
  return corrected(operations, result, either(equals(operations, a, 1), equals(operations, b, 0)), 1);
}

/**
 * The largest element along axes, for a kernel that returns −1e20 instead of smaller values. Such elements are scaled, which is
 * exact, so that −1e20 is below all f32 values, and overflows to −∞ when scaled back.
 */
export function greatest(operations: Operations, x: TensorInfo, { axes, keepdims }: ReduceAttributes): TensorInfo {
  const kernel = (of: TensorInfo): TensorInfo =>
    operations.run('Max', { x: of }, { reductionIndices: [...axes], keepDims: keepdims });
  const [down, up, floor] = [2 ** -64, 2 ** 64, -(2 ** 66)].map((value) => operations.filled(value, [], 'f32'));
  const near = kernel(x);
  const far = times(operations, kernel(times(operations, x, down)), up);
  return operations.select(operations.run('Less', { a: floor, b: near }), near, far);
}
