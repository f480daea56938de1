import { apply } from '../graph/node.ts';
import type { Operator } from '../graph/operator.ts';
import type { Tensor, TensorLike } from '../graph/tensor.ts';
import { promote, toTensor } from './constant.ts';

// Function declarations, because the operator modules import one another in a cycle: declarations are hoisted before any module
// runs. They return methods or bare arrows, because esbuild, which runs the tests, names other functions with a helper that is
// not yet initialized.

export type Unary = (x: TensorLike) => Tensor;
export type Binary = (a: TensorLike, b: TensorLike) => Tensor;

/** The function that applies a one-input operator. */
export function unary(operator: Operator): Unary {
  return (x) => apply(operator, [toTensor(x)], {})[0];
}

/** The function that applies a two-input operator to tensors or plain numbers. */
export function binary(operator: Operator): Binary {
  return (a, b) => apply(operator, promote(a, b), {})[0];
}
