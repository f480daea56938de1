import { apply } from '../graph/node.ts';
import type { Attributes, Operator } from '../graph/operator.ts';
import type { Tensor, TensorLike } from '../graph/tensor.ts';
import { DTypeError } from '../errors.ts';
import { isFloat } from '../tensor/dtype.ts';
import { broadcastShapes } from '../tensor/shape.ts';
import { checkDTypes, elementwise, type Partial } from './archetypes.ts';
import { binary, unary, type Binary, type Unary } from './calls.ts';
import { promote, zerosLike } from './constant.ts';
import { equal, greater, where } from './logic.ts';

export const Add: Operator = elementwise('Add', 'numeric', [() => 1, () => 1]);
export const Sub: Operator = elementwise('Sub', 'numeric', [() => 1, () => -1]);
export const Mul: Operator = elementwise('Mul', 'numeric', [([, b]) => b, ([a]) => a]);
/** Integer division truncates towards zero; INT_MIN / −1 and division by zero are undefined. */
export const Div: Operator = elementwise('Div', 'numeric', [
  ([, b]) => reciprocal(b),
  ([, b], quotient) => neg(div(quotient, b)),
]);
export const Neg: Operator = elementwise('Neg', 'numeric', [() => -1]);
export const Reciprocal: Operator = elementwise('Reciprocal', 'float', [(_, y) => neg(mul(y, y))]);
export const Sqrt: Operator = elementwise('Sqrt', 'float', [(_, y) => div(0.5, y)]);
/** ∂/∂a is b·a^(b−1), and exactly 0 if b is 0; ∂/∂b is log(a)·a^b for positive a and 0 elsewhere. */
export const Pow: Operator = elementwise('Pow', 'float', [
  ([a, b]) => where(equal(b, 0), zerosLike(b), mul(b, pow(a, sub(b, 1)))),
  ([a], y) => {
    const positive = greater(a, 0);
    return where(positive, mul(y, where(positive, a, 1).log()), zerosLike(y));
  },
]);

/** At a tie each operand gets half of the derivative. */
const share =
  (wins: (a: Tensor, b: Tensor) => Tensor): Partial =>
  ([a, b]) =>
    where(equal(a, b), 0.5, wins(a, b).cast(a.dtype));
export const Max: Operator = elementwise('Max', 'numeric', [
  share((a, b) => greater(a, b)),
  share((a, b) => greater(b, a)),
]);
export const Min: Operator = elementwise('Min', 'numeric', [
  share((a, b) => greater(b, a)),
  share((a, b) => greater(a, b)),
]);

export const Abs: Operator = elementwise('Abs', 'numeric', [([x]) => sign(x)]);
export const Sign: Operator = elementwise('Sign', 'numeric');
export const Floor: Operator = elementwise('Floor', 'float');
/** Halves are rounded to even. */
export const Round: Operator = elementwise('Round', 'float');

interface ModAttributes extends Attributes {
  /** 0: the result has the divisor's sign (integers only). 1: C's fmod, the dividend's sign. */
  readonly fmod: 0 | 1;
}
const modArchetype = elementwise('Mod', 'numeric', [() => 1, ([a, b], y) => neg(div(sub(a, y), b))]);
export const Mod: Operator<ModAttributes> = {
  ...(modArchetype as unknown as Operator<ModAttributes>),
  infer(inputs, { fmod }) {
    checkDTypes(inputs, 'numeric');
    const dtype = inputs[0].dtype;
    if (isFloat(dtype) && fmod === 0) {
      throw new DTypeError('Mod with fmod 0 is defined for integers only.', {
        actual: dtype,
        remedy: 'Set fmod to 1 for floats.',
      });
    }
    return [{ shape: broadcastShapes(...inputs.map((input) => input.shape)), dtype }];
  },
};

export const add: Binary = binary(Add);
export const sub: Binary = binary(Sub);
export const mul: Binary = binary(Mul);
export const div: Binary = binary(Div);
export const pow: Binary = binary(Pow);
export const maximum: Binary = binary(Max);
export const minimum: Binary = binary(Min);
export const neg: Unary = unary(Neg);
export const reciprocal: Unary = unary(Reciprocal);
export const sqrt: Unary = unary(Sqrt);
export const abs: Unary = unary(Abs);
export const sign: Unary = unary(Sign);
export const floor: Unary = unary(Floor);
export const round: Unary = unary(Round);

/** Remainder: C's fmod for floats; for integers the divisor's sign unless `fmod` is 1. */
export function mod(a: TensorLike, b: TensorLike, fmod?: 0 | 1): Tensor {
  const operands = promote(a, b);
  return apply(Mod, operands, { fmod: fmod ?? (isFloat(operands[0].dtype) ? 1 : 0) })[0];
}
