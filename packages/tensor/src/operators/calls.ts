import { apply } from '../graph/node.ts';
import type { Operator } from '../graph/operator.ts';
import type { Tensor, TensorLike } from '../graph/tensor.ts';
import { promote, toTensor } from './constant.ts';

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
