import { thisCopy } from '../copy.ts';
import { CallSite } from '../graph/callSite.ts';
import { apply } from '../graph/node.ts';
import type { Attributes, Operator } from '../graph/operator.ts';
import { Tensor, type TensorLike } from '../graph/tensor.ts';
import { ShapeError } from '../errors.ts';
import { isFloat, toStorage, type DType, type TypedArray } from '../tensor/dtype.ts';
import { checkShape, formatShape, sizeOf, type Shape } from '../tensor/shape.ts';

interface ConstantAttributes extends Attributes {
  /** Floats are kept as f64 for every dtype; a backend rounds them once. */
  readonly data: TypedArray;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** A constant array inside the graph. Its bytes are part of the graph's hash. */
export const Constant: Operator<ConstantAttributes> = {
  name: 'Constant',
  infer(_, { data, shape, dtype }) {
    checkShape(shape);
    if (data.length !== sizeOf(shape)) {
      throw new ShapeError(`${data.length} values do not fill shape ${formatShape(shape)}.`, {
        actual: data.length,
        expected: `${sizeOf(shape)} values`,
      });
    }
    return [{ shape, dtype }];
  },
};

/** Nested arrays of numbers, such as a matrix literal. */
export type NestedNumbers = number | readonly NestedNumbers[];

/**
 * A constant tensor from a number, nested arrays, or flat data with its shape.
 *
 * @throws ShapeError if nested arrays are ragged or the data does not fill the shape.
 */
export function constant(values: NestedNumbers | TypedArray, dtype: DType = 'f32', shape?: Shape): Tensor {
  thisCopy.check('A tensor', values);
  const inferred = ArrayBuffer.isView(values) ? [values.length] : shapeOfNested(values);
  const flat = ArrayBuffer.isView(values)
    ? values
    : typeof values === 'number'
      ? [values]
      : (values as number[]).flat(Infinity);
  const data = toStorage(flat, isFloat(dtype) ? 'f64' : dtype);
  return apply(Constant, [], { data, shape: shape ?? inferred, dtype })[0];
}

function shapeOfNested(values: NestedNumbers): number[] {
  if (typeof values === 'number') return [];
  const inner = values.map(shapeOfNested);
  if (inner.some((shape) => shape.join() !== inner[0].join())) {
    throw new ShapeError('Nested arrays are ragged.', {
      actual: inner,
      expected: 'rows of one length',
      callSite: CallSite.capture(),
    });
  }
  return [values.length, ...(inner[0] ?? [])];
}

/** A constant of `shape` filled with `value`. */
export const full = (shape: Shape, value: number, dtype: DType = 'f32'): Tensor => constant(value, dtype).expand(shape);
export const zeros = (shape: Shape, dtype: DType = 'f32'): Tensor => full(shape, 0, dtype);
export const ones = (shape: Shape, dtype: DType = 'f32'): Tensor => full(shape, 1, dtype);
export const zerosLike = (x: Tensor): Tensor => zeros(x.shape, x.dtype);
export const onesLike = (x: Tensor): Tensor => ones(x.shape, x.dtype);

/** Both operands as tensors: a plain number gets the other operand's dtype, or f32 if both are plain. */
export function promote(a: TensorLike, b: TensorLike): [Tensor, Tensor] {
  const dtype = a instanceof Tensor ? a.dtype : b instanceof Tensor ? b.dtype : 'f32';
  return [toTensor(a, dtype), toTensor(b, dtype)];
}

/** A tensor unchanged, a number as a scalar constant of `dtype`. */
export const toTensor = (x: TensorLike, dtype: DType = 'f32'): Tensor => (x instanceof Tensor ? x : constant(x, dtype));
