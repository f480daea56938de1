import type { TypedArray } from '../tensor/dtype.ts';
import type { TensorType } from '../tensor/shape.ts';
import type { Graph } from './graph.ts';
import type { Node } from './node.ts';
import type { Tensor } from './tensor.ts';

/** Static parameters of a node. They enter the graph's hash, so they are plain data. */
export interface Attributes {
  readonly [name: string]: AttributeValue | undefined;
}
export type AttributeValue = number | string | boolean | readonly number[] | TypedArray;

/** A derivative that may be absent: `undefined` is an exact zero that costs nothing. */
export type MaybeTensor = Tensor | undefined;

/**
 * One primitive or composite operator: everything the framework knows of it apart from how a backend runs it.
 *
 * Names and semantics are those of the ONNX operator of the same name wherever there is one.
 */
export interface Operator<A extends Attributes = Attributes> {
  readonly name: string;
  /** Works element by element on operands that broadcast, so that an explicit Expand of an operand is redundant. */
  readonly broadcasts?: boolean;
  /** Types of the outputs from types of the inputs. Throws ShapeError, DTypeError or OptionError on misuse. */
  infer(inputs: readonly TensorType[], attributes: A): readonly TensorType[];
  /** Reverse mode: cotangents of the inputs from cotangents of the outputs. Absent where no derivative flows. */
  vjp?(node: Node<A>, cotangents: readonly MaybeTensor[]): readonly MaybeTensor[];
  /** Forward mode: tangents of the outputs from tangents of the inputs. Absent where no derivative flows. */
  jvp?(node: Node<A>, tangents: readonly MaybeTensor[]): readonly MaybeTensor[];
  /** The decomposition, where the operator is a composite: a graph over the given input types. */
  body?(inputs: readonly TensorType[], attributes: A): Graph;
}
