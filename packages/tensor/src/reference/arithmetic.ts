import * as operators from '../operators/arithmetic.ts';
import { isFloat } from '../tensor/dtype.ts';
import { elementwise, elementwiseByKind, floats, kernel, numeric, type Kernel } from './kernel.ts';

/** The remainder with the divisor's sign. */
function moduloOfDivisorSign(a: number, b: number): number {
  const remainder = a % b;
  return remainder !== 0 && remainder < 0 !== b < 0 ? remainder + b : remainder;
}

/** The nearest integer; halves go to even, unlike Math.round, which rounds them up. */
function roundHalfToEven(x: number): number {
  const nearest = Math.round(x);
  return Math.abs(x % 1) === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}

export const arithmetic: readonly Kernel[] = [
  kernel(
    operators.Add,
    numeric,
    elementwise((a, b) => a + b),
  ),
  kernel(
    operators.Sub,
    numeric,
    elementwise((a, b) => a - b),
  ),
  // Beyond 2⁵³ a product of doubles loses bits that an integer product keeps.
  kernel(
    operators.Mul,
    numeric,
    elementwiseByKind((a, b) => a * b, Math.imul),
  ),
  kernel(
    operators.Div,
    numeric,
    elementwiseByKind(
      (a, b) => a / b,
      (a, b) => Math.trunc(a / b),
    ),
  ),
  kernel(
    operators.Neg,
    numeric,
    elementwise((x) => -x),
  ),
  kernel(
    operators.Reciprocal,
    floats,
    elementwise((x) => 1 / x),
  ),
  kernel(operators.Sqrt, floats, elementwise(Math.sqrt)),
  kernel(operators.Pow, floats, elementwise(power)),
  kernel(
    operators.Max,
    numeric,
    elementwise((a, b) => Math.max(a, b)),
  ),
  kernel(
    operators.Min,
    numeric,
    elementwise((a, b) => Math.min(a, b)),
  ),
  kernel(operators.Abs, numeric, elementwise(Math.abs)),
  kernel(operators.Sign, numeric, elementwise(Math.sign)),
  kernel(operators.Floor, floats, elementwise(Math.floor)),
  kernel(operators.Round, floats, elementwise(roundHalfToEven)),
  kernel(operators.Mod, numeric, (node, inputs) => {
    const truncated = node.attributes.fmod === 1 || isFloat(inputs[0].dtype);
    return elementwise(truncated ? (a, b) => a % b : moduloOfDivisorSign)(node, inputs);
  }),
];

/** IEEE 754's pow: unlike in JavaScript, 1 to any power is 1. */
function power(a: number, b: number): number {
  return a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b;
}
