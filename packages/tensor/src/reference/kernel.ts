import type { Node } from '../graph/node.ts';
import type { Attributes, Operator } from '../graph/operator.ts';
import { allocate, isFloat, type DType, type TypedArray } from '../tensor/dtype.ts';
import type { HostArray } from '../tensor/hostArray.ts';
import { sameShape, sizeOf, stridesOf, type Shape } from '../tensor/shape.ts';

/** Computes the elements of a node's one output from its inputs, whose floats are f64 for every float dtype. */
export type Evaluate<A extends Attributes = Attributes> = (node: Node<A>, inputs: readonly HostArray[]) => TypedArray;

/** The reference's record of a primitive: its computation, and the dtypes it supports (see `nodeDType`). */
export interface Kernel {
  readonly name: string;
  readonly dtypes: readonly DType[];
  readonly evaluate: Evaluate;
}

export const floats: readonly DType[] = ['f16', 'f32', 'f64'];
export const numeric: readonly DType[] = [...floats, 'i32', 'u32'];
export const all: readonly DType[] = [...numeric, 'bool'];

/** Combines an operator's record with its computation. */
export const kernel = <A extends Attributes>(
  { name }: Operator<A>,
  dtypes: readonly DType[],
  evaluate: Evaluate<A>,
): Kernel => ({
  name,
  dtypes,
  evaluate: evaluate as unknown as Evaluate,
});

/** Zeros in the reference's storage: f64 for every float, so that its rounding is negligible compared with that of an f32 backend. */
export const zeroed = (dtype: DType, length: number): TypedArray => allocate(isFloat(dtype) ? 'f64' : dtype, length);

/** The elements of `array` broadcast to `shape`. */
export function broadcast({ data, shape: from, dtype }: HostArray, shape: Shape): TypedArray {
  if (sameShape(from, shape)) return data;
  const result = zeroed(dtype, sizeOf(shape));
  const lead = shape.length - from.length;
  const strides = stridesOf(from).map((stride, axis) => (from[axis] === 1 ? 0 : stride));
  eachIndex(shape, (index, position) => {
    let source = 0;
    for (let axis = 0; axis < strides.length; axis++) source += index[axis + lead] * strides[axis];
    result[position] = data[source];
  });
  return result;
}

/** Visits the indices of `shape` in row-major order. The index array is reused between visits. */
export function eachIndex(shape: Shape, visit: (index: readonly number[], position: number) => void): void {
  const size = sizeOf(shape);
  const index = shape.map(() => 0);
  for (let position = 0; position < size; position++) {
    visit(index, position);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

/** The row-major position of `index` in `shape`. */
export function positionOf(index: readonly number[], strides: readonly number[]): number {
  let position = 0;
  for (let axis = 0; axis < strides.length; axis++) position += index[axis] * strides[axis];
  return position;
}

/** Elementwise over broadcast operands. Storing into the result wraps integers modulo 2³². */
export const elementwise =
  (compute: (a: number, b: number, c: number) => number): Evaluate =>
  ({ outputs: [{ shape, dtype }] }, inputs) => {
    const [a, b = a, c = a] = inputs.map((input) => broadcast(input, shape));
    const result = zeroed(dtype, sizeOf(shape));
    for (let i = 0; i < result.length; i++) result[i] = compute(a[i], b[i], c[i]);
    return result;
  };

/** Like {@link elementwise}, with a separate formula for integers. */
export const elementwiseByKind =
  (float: (a: number, b: number) => number, integer: (a: number, b: number) => number): Evaluate =>
  (node, inputs) =>
    elementwise(isFloat(inputs[0].dtype) ? float : integer)(node, inputs);
