import { thisCopy } from '../copy.ts';
import { FlowMatchingError } from '../errors.ts';
import { formatType, type TensorType } from '../tensor/shape.ts';
import { CallSite } from './callSite.ts';
import type { Attributes, Operator } from './operator.ts';
import { Tensor } from './tensor.ts';

let nextId = 0;

/**
 * One application of an operator. Nodes are immutable and created after their inputs, so ascending `id` is a topological order
 * of any set of nodes.
 */
export class Node<A extends Attributes = Attributes> {
  readonly id = nextId++;
  readonly operator: Operator<A>;
  readonly inputs: readonly Tensor[];
  readonly attributes: A;
  readonly outputs: readonly Tensor[];
  readonly callSite: CallSite;

  constructor(operator: Operator<A>, inputs: readonly Tensor[], attributes: A) {
    for (const input of inputs) thisCopy.check(`An operand of ${operator.name}`, input);
    this.operator = operator;
    this.inputs = inputs;
    this.attributes = attributes;
    this.callSite = CallSite.capture();
    this.outputs = this.#infer().map((type, index) => new Tensor(this as Node, index, type));
  }

  /** Infers types, and adds the operator, its operands and the user's call site to errors. */
  #infer(): readonly TensorType[] {
    try {
      return this.operator.infer(this.inputs, this.attributes);
    } catch (error) {
      if (!(error instanceof FlowMatchingError) || error.callSite) throw error;
      const operands = this.inputs.map(formatType).join(', ');
      const ErrorClass = error.constructor as new (problem: string, details: object) => FlowMatchingError;
      throw new ErrorClass(`${this.operator.name}(${operands}): ${error.message}`, {
        actual: error.actual,
        callSite: this.callSite,
        cause: error,
      });
    }
  }
}

/** Applies an operator. Nodes are created only here. */
export function apply<A extends Attributes>(
  operator: Operator<A>,
  inputs: readonly Tensor[],
  attributes: A,
): readonly Tensor[] {
  return new Node(operator, inputs, attributes).outputs;
}
