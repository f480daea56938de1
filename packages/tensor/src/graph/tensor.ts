import { thisCopy } from '../copy.ts';
import type { DType } from '../tensor/dtype.ts';
import { formatType, sizeOf, type Shape, type TensorType } from '../tensor/shape.ts';
import type { ReduceOptions } from './operator.ts';
import type { Node } from './node.ts';

/** What formulas accept in place of a tensor: a number becomes a scalar constant of the other operand's dtype. */
export type TensorLike = Tensor | number;

/**
 * A symbolic array: a shape, a dtype and the node that computes it. It holds no numbers; formulas over tensors build a graph,
 * which a backend compiles and runs.
 *
 * Methods are equivalent to the functions of the same name; binary ones broadcast as in NumPy and ONNX. They are declared here
 * and installed by operators/methods.ts, so that the graph knows no operator.
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

  declare readonly add: (other: TensorLike) => Tensor;
  declare readonly sub: (other: TensorLike) => Tensor;
  declare readonly mul: (other: TensorLike) => Tensor;
  declare readonly div: (other: TensorLike) => Tensor;
  declare readonly pow: (exponent: TensorLike) => Tensor;
  declare readonly neg: () => Tensor;
  declare readonly exp: () => Tensor;
  declare readonly log: () => Tensor;
  declare readonly sqrt: () => Tensor;
  /** `x · x`. */
  declare readonly square: () => Tensor;
  declare readonly abs: () => Tensor;
  declare readonly sin: () => Tensor;
  declare readonly cos: () => Tensor;
  declare readonly tanh: () => Tensor;
  declare readonly sigmoid: () => Tensor;
  declare readonly equal: (other: TensorLike) => Tensor;
  declare readonly less: (other: TensorLike) => Tensor;
  declare readonly lessOrEqual: (other: TensorLike) => Tensor;
  declare readonly greater: (other: TensorLike) => Tensor;
  declare readonly greaterOrEqual: (other: TensorLike) => Tensor;
  /** Matrix product over the last two axes; leading axes broadcast. */
  declare readonly matmul: (other: Tensor) => Tensor;
  /** Sum over `axes` (all of them by default). */
  declare readonly sum: (axes?: number | readonly number[], options?: ReduceOptions) => Tensor;
  /** Mean over `axes` (all of them by default). */
  declare readonly mean: (axes?: number | readonly number[], options?: ReduceOptions) => Tensor;
  /** Maximum over `axes` (all of them by default). */
  declare readonly max: (axes?: number | readonly number[], options?: ReduceOptions) => Tensor;
  /** Minimum over `axes` (all of them by default). */
  declare readonly min: (axes?: number | readonly number[], options?: ReduceOptions) => Tensor;
  /** The same elements in a new shape; one extent may be −1. */
  declare readonly reshape: (shape: Shape) => Tensor;
  /** Axes permuted by `permutation`; reversed if it is absent. */
  declare readonly transpose: (permutation?: readonly number[]) => Tensor;
  /** Repeats extents of 1 to `shape`. */
  declare readonly expand: (shape: Shape) => Tensor;
  /** `axis` from `start` up to `end` (exclusive; both may count from the end). */
  declare readonly slice: (axis: number, start: number, end?: number, step?: number) => Tensor;
  declare readonly cast: (dtype: DType) => Tensor;
}

thisCopy.stamp(Tensor.prototype);
