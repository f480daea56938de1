import type { Attributes, DType, Node, Operator } from '@flow-matching/tensor';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Operations } from '../operations.ts';

/** How one operator runs: kernels, and the value they end with, which is one that they have made. */
export type Lower<A extends Attributes = Attributes> = (
  operations: Operations,
  inputs: readonly TensorInfo[],
  node: Node<A>,
) => TensorInfo;

/** One row of the table: how an operator of core runs by kernels of TensorFlow.js, and for which dtypes. */
export interface Lowering {
  readonly name: string;
  readonly dtypes: readonly DType[];
  readonly lower: Lower;
  /** What it is made of, where some engine has a kernel of that name and this is used instead. */
  readonly via?: string;
}

export const float: readonly DType[] = ['f32'];
export const signed: readonly DType[] = ['f32', 'i32'];
/** Numbers of u32 are held as the int32 with their bits: for what does the same to both. */
export const numeric: readonly DType[] = ['f32', 'i32', 'u32'];
export const any: readonly DType[] = [...numeric, 'bool'];

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

/** A row for an operator of one operand that is a kernel. */
export const unary = (operator: Operator, dtypes: readonly DType[], kernel: string = operator.name): Lowering =>
  lowering(operator, dtypes, (operations, [x]) => operations.run(kernel, { x }));

/** A row for an operator of two operands that is a kernel. */
export const binary = (operator: Operator, dtypes: readonly DType[], kernel: string = operator.name): Lowering =>
  lowering(operator, dtypes, (operations, [a, b]) => operations.run(kernel, { a, b }));
