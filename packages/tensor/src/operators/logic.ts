import { DTypeError } from '../errors.ts';
import { apply } from '../graph/node.ts';
import type { Operator } from '../graph/operator.ts';
import type { Tensor, TensorLike } from '../graph/tensor.ts';
import { broadcastShapes } from '../tensor/shape.ts';
import { addMaybe, checkDTypes, elementwise } from './archetypes.ts';
import { binary, unary, type Binary, type Unary } from './calls.ts';
import { promote, zerosLike } from './constant.ts';

export const Equal: Operator = elementwise('Equal', 'any', [], 'bool');
export const Less: Operator = elementwise('Less', 'numeric', [], 'bool');
export const LessOrEqual: Operator = elementwise('LessOrEqual', 'numeric', [], 'bool');
export const And: Operator = elementwise('And', 'bool');
export const Or: Operator = elementwise('Or', 'bool');
export const Not: Operator = elementwise('Not', 'bool');
export const IsNaN: Operator = elementwise('IsNaN', 'float', [], 'bool');

/**
 * `condition ? a : b`, element by element. Derivatives are selected, not multiplied by a mask, so a NaN or an infinity in the
 * branch not taken does not spread. In reverse mode that branch receives a zero cotangent: if its slope is infinite (a root at
 * 0), 0·∞ is NaN, so guard the argument of the root with another Where.
 */
export const Where: Operator = {
  name: 'Where',
  broadcasts: true,
  infer([condition, a, b]) {
    if (condition.dtype !== 'bool') {
      throw new DTypeError(`The condition is ${condition.dtype}.`, {
        actual: condition.dtype,
        expected: 'a bool condition',
      });
    }
    checkDTypes([a, b], 'any');
    return [{ shape: broadcastShapes(condition.shape, a.shape, b.shape), dtype: a.dtype }];
  },
  vjp({ inputs }, [cotangent]) {
    const condition = inputs[0];
    const zero = zerosLike(cotangent!);
    return [undefined, where(condition, cotangent!, zero), where(condition, zero, cotangent!)];
  },
  jvp({ inputs, outputs }, [, da, db]) {
    const condition = inputs[0];
    const zero = zerosLike(outputs[0]);
    return [addMaybe(da && where(condition, da, zero), db && where(condition, zero, db))];
  },
};

export const equal: Binary = binary(Equal);
export const less: Binary = binary(Less);
export const lessOrEqual: Binary = binary(LessOrEqual);
export const greater: Binary = (a, b) => less(...(promote(a, b).toReversed() as [Tensor, Tensor]));
export const greaterOrEqual: Binary = (a, b) => lessOrEqual(...(promote(a, b).toReversed() as [Tensor, Tensor]));
export const and: (a: Tensor, b: Tensor) => Tensor = binary(And);
export const or: (a: Tensor, b: Tensor) => Tensor = binary(Or);
export const not: (x: Tensor) => Tensor = unary(Not);
export const isNaN: Unary = unary(IsNaN);

/** `a` where the condition is true and `b` elsewhere; all three broadcast. */
export function where(condition: Tensor, a: TensorLike, b: TensorLike): Tensor {
  return apply(Where, [condition, ...promote(a, b)], {})[0];
}

/** Neither NaN nor infinite. */
export function isFinite(x: Tensor): Tensor {
  return equal(x.sub(x), 0);
}
