import { dtypeSets, type Attributes, type DType, type Node, type Operator } from '@flow-matching/tensor';
import { dataType, type GraphWriter, type Value } from '../graphWriter.ts';

/** Writes one operator as TensorFlow nodes. */
export type Lower<A extends Attributes = Attributes> = (
  write: GraphWriter,
  inputs: readonly Value[],
  node: Node<A>,
) => Value;

/** One row of the table: how the engine runs an operator of core, and for which dtypes. */
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

/** A row for an operator that TensorFlow has with a single type attribute, that of its first input. */
export function same(operator: Operator, dtypes: readonly DType[], op: string = operator.name): Lowering {
  return lowering(operator, dtypes, (write, inputs, node) => write.typed(op, dataType[node.inputs[0].dtype], inputs));
}
