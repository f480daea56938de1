import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Operations } from '../operations.ts';
import { kernelOr, plus, polynomial, times } from './composed.ts';
import { keepingNaN, logarithm } from './guarded.ts';

// Series, because a GPU's logarithm has an absolute error of 2⁻²¹ around 1. Their remainder is below 2⁻²⁷ of the sum.
const exponential = Array.from({ length: 12 }, (_, k) => 1 / factorial(k + 1));
const areaTangent = Array.from({ length: 9 }, (_, k) => 2 / (2 * k + 1));
const errorIntegral = Array.from(
  { length: 13 },
  (_, k) => ((2 / Math.sqrt(Math.PI)) * (-1) ** k) / (factorial(k) * (2 * k + 1)),
);
/** Of z = x² on [−0.625, 0.625] (Cephes, tanhf): tanh x = x·(1 + z·p(z)). */
const tangent = [1, -3.33332819422e-1, 1.33314422036e-1, -5.37397155531e-2, 2.06390887954e-2, -5.70498872745e-3];

/** exp(x) − 1: up to |x| = 1 as x + x²/2! + x³/3! + …. */
export function expm1(operations: Operations, x: TensorInfo): TensorInfo {
  const near = times(operations, x, polynomial(operations, x, exponential));
  const far = plus(operations, kernelOr(operations, 'Exp', x, keepingNaN('Exp')), -1);
  return operations.select(within(operations, x, -1, 1), near, far);
}

/** log(1 + x): from −½ to 1 as 2·artanh s = 2·(s + s³/3 + s⁵/5 + …) with s = x / (2 + x), which is ⅓ at most. */
export function log1p(operations: Operations, x: TensorInfo): TensorInfo {
  const divisor = plus(operations, x, 2);
  const s = operations.run('RealDiv', { a: x, b: divisor });
  const series = polynomial(operations, times(operations, s, s), areaTangent);
  // x is multiplied last: half of the smallest normal number would be 0.
  const near = times(operations, x, operations.run('RealDiv', { a: series, b: divisor }));
  const far = kernelOr(operations, 'Log', plus(operations, x, 1), logarithm);
  return operations.select(within(operations, x, -0.5, 1), near, far);
}

/** A polynomial up to |x| = 0.625: 1 − exp(−2·|x|), which the kernel computes first, loses the digits of a small x. */
export const tanh = (operations: Operations, x: TensorInfo): TensorInfo =>
  operations.select(within(operations, x, -0.625, 0.625), odd(operations, x, tangent), operations.run('Tanh', { x }));

/** Up to |x| = 1 as 2/√π·(x − x³/3 + x⁵/(2!·5) − …): the kernel has an absolute error of 1.5·10⁻⁷, however small x is. */
export const erf = (operations: Operations, x: TensorInfo): TensorInfo =>
  operations.select(within(operations, x, -1, 1), odd(operations, x, errorIntegral), operations.run('Erf', { x }));

/** x·(c₀ + c₁·x² + c₂·x⁴ + …). */
const odd = (operations: Operations, x: TensorInfo, coefficients: readonly number[]): TensorInfo =>
  times(operations, x, polynomial(operations, times(operations, x, x), coefficients));

function factorial(n: number): number {
  return n <= 1 ? 1 : n * factorial(n - 1);
}

/** Whether x is between `low` and `high`; false for NaN. */
function within(operations: Operations, x: TensorInfo, low: number, high: number): TensorInfo {
  const [bottom, top] = [low, high].map((bound) => operations.filled(bound, [], 'f32'));
  const [a, b] = [operations.run('LessEqual', { a: bottom, b: x }), operations.run('LessEqual', { a: x, b: top })];
  return operations.run('LogicalAnd', { a, b });
}
