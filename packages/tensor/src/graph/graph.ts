import { thisCopy } from '../copy.ts';
import { GraphError } from '../errors.ts';
import { checkShape, formatType, type TensorType } from '../tensor/shape.ts';
import type { DType } from '../tensor/dtype.ts';
import { graphHash } from './hash.ts';
import { apply, type Node } from './node.ts';
import type { Attributes, Operator } from './operator.ts';
import { printGraph } from './print.ts';
import type { Tensor } from './tensor.ts';

interface InputAttributes extends Attributes {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** A value that is fed when the graph runs. */
export const Input: Operator<InputAttributes> = {
  name: 'Input',
  infer(_, { shape, dtype }) {
    checkShape(shape);
    return [{ shape, dtype }];
  },
};

/** A new graph input, as {@link trace} passes to the traced function. */
export function input(name: string, { shape, dtype }: TensorType): Tensor {
  return apply(Input, [], { name, shape, dtype })[0];
}

export interface GraphPort {
  readonly name: string;
  readonly tensor: Tensor;
}

/**
 * A tensor program: static shapes, single assignment, named inputs and outputs. `nodes` are all nodes that the outputs need,
 * including inputs and constants, in an order in which they can be computed.
 */
export class Graph {
  readonly inputs: readonly GraphPort[];
  readonly outputs: readonly GraphPort[];
  readonly nodes: readonly Node[];
  #hash: string | undefined;

  /** @throws GraphError if two inputs or outputs share a name, or an output needs an input that is not listed. */
  constructor(inputs: readonly GraphPort[], outputs: readonly GraphPort[]) {
    for (const { name, tensor } of outputs) thisCopy.check(`The output '${name}'`, tensor);
    this.inputs = inputs;
    this.outputs = outputs;
    this.nodes = reachableNodes(outputs.map((output) => output.tensor));
    for (const [kind, ports] of [
      ['input', inputs],
      ['output', outputs],
    ] as const) {
      const twice = ports.find((port, i) => ports.findIndex((other) => other.name === port.name) !== i);
      if (twice)
        throw new GraphError(`Two ${kind}s are named '${twice.name}'.`, {
          actual: twice.name,
          expected: 'distinct names',
        });
    }
    const known = new Set(inputs.map((port) => port.tensor.node));
    const stray = this.nodes.find((node) => node.operator.name === Input.name && !known.has(node));
    if (stray) {
      throw new GraphError(
        `The graph uses the input '${(stray.attributes as unknown as InputAttributes).name}' of another trace.`,
        {
          actual: stray.outputs[0].toString(),
          expected: `inputs ${inputs.map((port) => port.name).join(', ')} only`,
          remedy: 'Pass the tensor into the traced function as one of its inputs.',
          callSite: stray.callSite,
        },
      );
    }
  }

  /** The input or output with this name. */
  input(name: string): Tensor {
    return find(this.inputs, name, 'input');
  }
  output(name: string): Tensor {
    return find(this.outputs, name, 'output');
  }

  /**
   * Equal for graphs that compute the same thing in the same way. It covers operators, attributes, constants' bytes and names,
   * but not call sites.
   */
  get hash(): string {
    return (this.#hash ??= graphHash(this));
  }

  /** A readable listing, one line per node. */
  toString(): string {
    return printGraph(this);
  }
}

function find(ports: readonly GraphPort[], name: string, kind: string): Tensor {
  const port = ports.find((candidate) => candidate.name === name);
  if (port) return port.tensor;
  throw new GraphError(`The graph has no ${kind} '${name}'.`, {
    actual: name,
    expected: `one of ${ports.map((p) => p.name).join(', ')}`,
  });
}

/** Nodes that `tensors` need, ascending. Nodes for which `stop` is true are left out, and so are nodes that only they need. */
export function reachableNodes(tensors: readonly Tensor[], stop?: (tensor: Tensor) => boolean): Node[] {
  const seen = new Set<Node>();
  const pending = tensors.filter((tensor) => !stop?.(tensor)).map((tensor) => tensor.node);
  while (pending.length > 0) {
    const node = pending.pop()!;
    if (seen.has(node)) continue;
    seen.add(node);
    for (const tensor of node.inputs) if (!stop?.(tensor) && !seen.has(tensor.node)) pending.push(tensor.node);
  }
  return [...seen].toSorted((a, b) => a.id - b.id);
}

/** Describes a graph's ports for messages: `x f32[256, 2], t f32[256]`. */
export const describePorts = (ports: readonly GraphPort[]): string =>
  ports.map(({ name, tensor }) => `${name} ${formatType(tensor)}`).join(', ');
