import { splatValue, type Node } from '@flow-matching/core';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Operations } from '../operations.ts';
import { chosen } from './composed.ts';

/** `value` instead of what a kernel gives where it is wrong. */
function corrected(operations: Operations, result: TensorInfo, where: TensorInfo, value: number): TensorInfo {
  const [condition, t] = [where, operations.filled(value, [], 'f32')].map((x) => operations.expand(x, result.shape));
  return chosen(operations, condition, t, result);
}

const equals = (operations: Operations, x: TensorInfo, value: number): TensorInfo =>
  operations.run('Equal', { a: x, b: operations.filled(value, [], 'f32') });

/** a ÷ b, where the kernel takes all that is equal for a quotient of 1. */
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

/** log x, where the kernel is finite at 0. */
export const logarithm = (operations: Operations, x: TensorInfo): TensorInfo =>
  corrected(operations, operations.run('Log', { x }), equals(operations, x, 0), -Infinity);

/** a to the power of b, where the kernel loses NaN. 1 to any power, and any power of 0, is 1. */
export function power(operations: Operations, a: TensorInfo, b: TensorInfo): TensorInfo {
  const either = (left: TensorInfo, right: TensorInfo): TensorInfo =>
    operations.run('LogicalOr', { a: left, b: right });
  const [aIsNaN, bIsNaN] = [a, b].map((x) => operations.run('IsNan', { x }));
  const result = corrected(operations, operations.run('Pow', { a, b }), either(aIsNaN, bIsNaN), Number.NaN);
  return corrected(operations, result, either(equals(operations, a, 1), equals(operations, b, 0)), 1);
}
