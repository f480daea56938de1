import { thisCopy } from '../copy.ts';
import type { DType } from '../tensor/dtype.ts';
import { formatType, sizeOf, type Shape, type TensorType } from '../tensor/shape.ts';
import * as operators from '../operators/index.ts';
import { mean } from '../composites/statistics.ts';
import type { Node } from './node.ts';

/** What formulas accept in place of a tensor: a number becomes a scalar constant of the other operand's dtype. */
export type TensorLike = Tensor | number;

/**
 * A symbolic array: a shape, a dtype and the node that computes it. It holds no numbers; formulas over tensors build a graph,
 * which a backend compiles and runs.
 *
 * Methods are equivalent to the functions of the same name; binary ones broadcast as in NumPy and ONNX.
 */
export class Tensor implements TensorType {
  readonly node: Node;
  /** Which of the node's outputs this is. */
  readonly index: number;
  readonly shape: Shape;
  readonly dtype: DType;

  constructor(node: Node, index: number, type: TensorType) {
    this.node = node;
    this.index = index;
    this.shape = type.shape;
    this.dtype = type.dtype;
  }

  get rank(): number {
    return this.shape.length;
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  toString(): string {
    return `${formatType(this)} of ${this.node.operator.name}`;
  }

  add(other: TensorLike): Tensor {
    return operators.add(this, other);
  }
  sub(other: TensorLike): Tensor {
    return operators.sub(this, other);
  }
  mul(other: TensorLike): Tensor {
    return operators.mul(this, other);
  }
  div(other: TensorLike): Tensor {
    return operators.div(this, other);
  }
  pow(exponent: TensorLike): Tensor {
    return operators.pow(this, exponent);
  }
  neg(): Tensor {
    return operators.neg(this);
  }
  exp(): Tensor {
    return operators.exp(this);
  }
  log(): Tensor {
    return operators.log(this);
  }
  sqrt(): Tensor {
    return operators.sqrt(this);
  }
  /** `x · x`. */
  square(): Tensor {
    return operators.mul(this, this);
  }
  abs(): Tensor {
    return operators.abs(this);
  }
  sin(): Tensor {
    return operators.sin(this);
  }
  cos(): Tensor {
    return operators.cos(this);
  }
  tanh(): Tensor {
    return operators.tanh(this);
  }
  sigmoid(): Tensor {
    return operators.sigmoid(this);
  }
  equal(other: TensorLike): Tensor {
    return operators.equal(this, other);
  }
  less(other: TensorLike): Tensor {
    return operators.less(this, other);
  }
  lessOrEqual(other: TensorLike): Tensor {
    return operators.lessOrEqual(this, other);
  }
  greater(other: TensorLike): Tensor {
    return operators.greater(this, other);
  }
  greaterOrEqual(other: TensorLike): Tensor {
    return operators.greaterOrEqual(this, other);
  }
  /** Matrix product over the last two axes; leading axes broadcast. */
  matmul(other: Tensor): Tensor {
    return operators.matmul(this, other);
  }
  /** Sum over `axes` (all of them by default). */
  sum(axes?: number | readonly number[], options?: operators.ReduceOptions): Tensor {
    return operators.reduceSum(this, axes, options);
  }
  /** Mean over `axes` (all of them by default). */
  mean(axes?: number | readonly number[], options?: operators.ReduceOptions): Tensor {
    return mean(this, axes, options);
  }
  /** Maximum over `axes` (all of them by default). */
  max(axes?: number | readonly number[], options?: operators.ReduceOptions): Tensor {
    return operators.reduceMax(this, axes, options);
  }
  /** Minimum over `axes` (all of them by default). */
  min(axes?: number | readonly number[], options?: operators.ReduceOptions): Tensor {
    return operators.reduceMin(this, axes, options);
  }
  /** The same elements in a new shape; one extent may be −1. */
  reshape(shape: Shape): Tensor {
    return operators.reshape(this, shape);
  }
  /** Axes permuted by `permutation`; reversed if it is absent. */
  transpose(permutation?: readonly number[]): Tensor {
    return operators.transpose(this, permutation);
  }
  /** Repeats extents of 1 to `shape`. */
  expand(shape: Shape): Tensor {
    return operators.expand(this, shape);
  }
  /** `axis` from `start` up to `end` (exclusive; both may count from the end). */
  slice(axis: number, start: number, end?: number, step?: number): Tensor {
    return operators.sliceAxis(this, axis, start, end, step);
  }
  cast(dtype: DType): Tensor {
    return operators.cast(this, dtype);
  }
}

thisCopy.stamp(Tensor.prototype);
