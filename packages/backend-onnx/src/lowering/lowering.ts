import { dtypeSets, type Attributes, type DType, type Node, type Operator } from '@flow-matching/tensor';
import type { ModelWriter } from '../model/modelWriter.ts';

/** Writes one operator as ONNX nodes, from names of values to the name of the result. */
export type Lower<A extends Attributes = Attributes> = (
  write: ModelWriter,
  inputs: readonly string[],
  node: Node<A>,
) => string;

/** One row of the table: what the backend does with an operator of core, and for which dtypes ONNX Runtime's CPU provider has the kernels. */
export interface Lowering {
  readonly name: string;
  readonly dtypes: readonly DType[];
  readonly lower: Lower;
}

export const { float, numeric, any } = dtypeSets(['f32', 'f64', 'i32', 'u32', 'bool']);

/** A row of the table, its attributes typed by the operator. */
export function lowering<A extends Attributes>(
  operator: Operator<A>,
  dtypes: readonly DType[],
  lower: Lower<A>,
): Lowering {
  return { name: operator.name, dtypes, lower: lower as unknown as Lower };
}

/** A row for a composite that core only exports as a function. */
export function named(name: string, dtypes: readonly DType[], lower: Lower): Lowering {
  return { name, dtypes, lower };
}

/** A row for an operator that ONNX has under the same name, without attributes. */
export function same(operator: Operator, dtypes: readonly DType[]): Lowering {
  return lowering(operator, dtypes, (write, inputs) => write.node(operator.name, inputs));
}
