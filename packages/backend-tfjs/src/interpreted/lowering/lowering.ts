import { dtypeSets, type Attributes, type DType, type Node, type Operator } from '@flow-matching/tensor';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Operations } from '../operations.ts';

/** Runs one operator with kernels, and returns the resulting value, which is newly created. */
export type Lower<A extends Attributes = Attributes> = (
  operations: Operations,
  inputs: readonly TensorInfo[],
  node: Node<A>,
) => TensorInfo;

/** One row of the table: how an operator of core runs with kernels of TensorFlow.js, and for which dtypes. */
export interface Lowering {
  readonly name: string;
  readonly dtypes: readonly DType[];
  readonly lower: Lower;
  /** The composition used instead of a kernel of this name on some engines. */
  readonly via?: string;
}

/** `numeric` is for operators that act in the same way on u32 and int32: u32 values are stored as the int32 with the same bits. */
export const { float, signed, numeric, any } = dtypeSets(['f32', 'i32', 'u32', 'bool']);

/** A row of the table, its attributes typed by the operator. */
export const lowering = <A extends Attributes>(
  operator: Operator<A>,
  dtypes: readonly DType[],
  lower: Lower<A>,
  via?: string,
): Lowering => ({
  name: operator.name,
  dtypes,
  lower: lower as unknown as Lower,
  ...(via !== undefined && { via }),
});

/** A row for a unary operator that is a kernel. */
export const unary = (operator: Operator, dtypes: readonly DType[], kernel: string = operator.name): Lowering =>
  lowering(operator, dtypes, (operations, [x]) => operations.run(kernel, { x }));

/** A row for a binary operator that is a kernel. */
export const binary = (operator: Operator, dtypes: readonly DType[], kernel: string = operator.name): Lowering =>
  lowering(operator, dtypes, (operations, [a, b]) => operations.run(kernel, { a, b }));
