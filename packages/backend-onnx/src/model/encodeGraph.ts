import type { Graph, GraphPort, HostArray, Node, Tensor } from '@flow-matching/tensor';
import { fusedLowerings } from '../fusion/index.ts';
import { lowerings } from '../lowering/index.ts';
import { ModelWriter } from './modelWriter.ts';

/** A port of the graph and its name in the model. */
export interface EncodedPort extends GraphPort {
  readonly value: string;
}

export interface EncodedGraph {
  /** The model file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The inputs of the model: those that an output depends on. */
  readonly inputs: readonly EncodedPort[];
  readonly outputs: readonly EncodedPort[];
  /** The output placed before the others, if there is one. */
  readonly barrier: string | undefined;
  /** The node that an ONNX node was written for, by the ONNX node's name. */
  readonly nodes: ReadonlyMap<string, Node>;
}

export interface EncodeOptions {
  /** Puts a sequence before the outputs: see ResultBarrier. */
  readonly barrier?: boolean;
  /** Inputs that become initializers, which ONNX Runtime packs for its kernels in advance. */
  readonly constants?: Readonly<Record<string, HostArray>>;
}

/** Writes a graph whose operators are all in the lowering table as an ONNX model. */
export function encodeGraph(graph: Graph, { barrier = false, constants = {} }: EncodeOptions = {}): EncodedGraph {
  const taken = new Set(graph.inputs.map((port) => port.name));
  const needed = new Set(graph.nodes);
  const inputs = graph.inputs
    .filter(({ name, tensor }) => needed.has(tensor.node) && !(name in constants))
    .map(({ name, tensor }) => ({ name, tensor, value: name }));
  const outputs = graph.outputs.map(({ name, tensor }) => ({ name, tensor, value: distinctName(name, taken) }));

  const barrierName = barrier ? distinctName('barrier', taken) : undefined;
  const write = new ModelWriter(taken);
  const nodes = new Map<string, Node>();
  const values = new Map<Tensor, string>();
  for (const [name, { data, dtype, shape }] of Object.entries(constants))
    values.set(graph.input(name), write.constant(data, dtype, shape));
  for (const { value, tensor } of inputs) values.set(tensor, write.input(value, tensor));
  for (const node of graph.nodes) {
    if (node.operator.name === 'Input') continue;
    const label = `${node.operator.name}#${nodes.size}`;
    nodes.set(label, node);
    write.startNode(label);
    values.set(node.outputs[0], writeNode(write, node, values));
  }
  for (const { value, tensor } of outputs) write.output(value, values.get(tensor)!, tensor);
  if (barrierName !== undefined) write.sequenceOutput(barrierName);
  return { barrier: barrierName, bytes: write.finish('flow-matching'), inputs, outputs, nodes };
}

/** An ONNX value has one producer, so an output with the name of an input gets another name in the model. */
function distinctName(name: string, taken: Set<string>): string {
  let distinct = name;
  while (taken.has(distinct)) distinct += '\u2032';
  taken.add(distinct);
  return distinct;
}

function writeNode(write: ModelWriter, node: Node, values: ReadonlyMap<Tensor, string>): string {
  const [result] = node.outputs;
  if (node.operator.name === 'Constant') {
    const { data } = node.attributes as unknown as { data: ArrayLike<number> };
    return write.constant(data, result.dtype, result.shape);
  }
  // Many kernels refuse empty tensors, which need no computation.
  if (result.size === 0) return write.constant([], result.dtype, result.shape);
  const { lower } = (fusedLowerings.get(node.operator.name) ?? lowerings.get(node.operator.name))!;
  return lower(
    write,
    node.inputs.map((tensor) => values.get(tensor)!),
    node,
  );
}
