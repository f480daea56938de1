import type { TypedArray } from '../tensor/dtype.ts';
import type { TensorType } from '../tensor/shape.ts';
import type { Graph } from './graph.ts';
import type { Node } from './node.ts';
import type { Tensor } from './tensor.ts';

/** Static parameters of a node. They are part of the graph's hash, so they are plain data. */
export interface Attributes {
  readonly [name: string]: AttributeValue | undefined;
}
export type AttributeValue = number | string | boolean | readonly number[] | TypedArray;

/** A derivative that may be absent: `undefined` is an exact zero that costs nothing. */
export type MaybeTensor = Tensor | undefined;

/**
 * One primitive or composite operator: everything the framework knows about it except how a backend runs it.
 *
 * Names and semantics are those of the ONNX operator of the same name, if there is one.
 */
export interface Operator<A extends Attributes = Attributes> {
  readonly name: string;
  /** Whether the operator is elementwise with broadcasting, so that an explicit Expand of an operand is redundant. */
  readonly broadcasts?: boolean;
  /** Types of the outputs from types of the inputs. Throws ShapeError, DTypeError or OptionError on misuse. */
  infer(inputs: readonly TensorType[], attributes: A): readonly TensorType[];
  /** Reverse mode: cotangents of the inputs from cotangents of the outputs. Absent if the operator has no derivative. */
  vjp?(node: Node<A>, cotangents: readonly MaybeTensor[]): readonly MaybeTensor[];
  /** Forward mode: tangents of the outputs from tangents of the inputs. Absent if the operator has no derivative. */
  jvp?(node: Node<A>, tangents: readonly MaybeTensor[]): readonly MaybeTensor[];
  /** The decomposition of a composite: a graph over the given input types. */
  body?(inputs: readonly TensorType[], attributes: A): Graph;
}

export interface ReduceOptions {
  /** Keep reduced axes with extent 1. Default false. */
  readonly keepdims?: boolean;
}
