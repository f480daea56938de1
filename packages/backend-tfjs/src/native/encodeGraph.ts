import type { Graph, GraphPort, Node, Tensor } from '@flow-matching/tensor';
import { DataType } from '../generated/saved_model_pb.ts';
import { heldShape } from '../heldShape.ts';
import { dataType, GraphWriter, type Value } from './graphWriter.ts';
import { lowerings } from './lowering/index.ts';

/** A port of the graph and its name in the model. */
export interface EncodedPort extends GraphPort {
  readonly node: string;
}

export interface EncodedGraph {
  /** The file saved_model.pb. */
  readonly bytes: Uint8Array;
  /** The inputs that an output depends on. */
  readonly inputs: readonly EncodedPort[];
  readonly outputs: readonly EncodedPort[];
  /** The node of the graph for which TensorFlow nodes were written, by the prefix of their names. */
  readonly nodes: ReadonlyMap<string, Node>;
}

/** Writes a graph whose operators are all in the lowering table as a SavedModel. */
export function encodeGraph(graph: Graph): EncodedGraph {
  const write = new GraphWriter();
  const values = new Map<Tensor, Value>();
  const needed = new Set(graph.nodes);
  const inputs = graph.inputs
    .filter(({ tensor }) => needed.has(tensor.node))
    .map((port, i) => ({ ...port, node: `input${i}` }));
  const nodes = new Map<string, Node>();
  write.startNode('Inputs');
  for (const { tensor, node } of inputs) {
    const { dtype, shape } = tensor;
    const held = dtype === 'f64' ? DataType.DT_INT32 : dataType[dtype];
    const given = write.placeholder(node, held, heldShape(shape, dtype));
    values.set(tensor, dtype === 'f64' ? bitcast(write, given, DataType.DT_INT32, DataType.DT_DOUBLE) : given);
  }
  for (const node of graph.nodes) {
    if (node.operator.name === 'Input') continue;
    const label = `${node.operator.name}.${nodes.size}`;
    nodes.set(label, node);
    write.startNode(label);
    values.set(node.outputs[0], writeNode(write, node, values));
  }
  write.startNode('Outputs');
  const outputs = graph.outputs.map((port, i) => {
    const value = values.get(port.tensor)!;
    const held = port.tensor.dtype === 'f64' ? bitcast(write, value, DataType.DT_DOUBLE, DataType.DT_INT32) : value;
    const type = port.tensor.dtype === 'f64' ? DataType.DT_INT32 : dataType[port.tensor.dtype];
    return { ...port, node: write.node('Identity', [held], { T: { type } }, `output${i}`) };
  });
  return { bytes: write.finish(), inputs, outputs, nodes };
}

const bitcast = (write: GraphWriter, value: Value, from: DataType, to: DataType): Value =>
  write.node('Bitcast', [value], { T: { type: from }, type: { type: to } });

function writeNode(write: GraphWriter, node: Node, values: ReadonlyMap<Tensor, Value>): Value {
  const [result] = node.outputs;
  if (node.operator.name === 'Constant') {
    const { data } = node.attributes as unknown as { data: ArrayLike<number> };
    return write.constant(data, result.dtype, result.shape);
  }
  // Some kernels refuse empty tensors, which need no computation.
  if (result.size === 0) return write.constant([], result.dtype, result.shape);
  return lowerings.get(node.operator.name)!.lower(
    write,
    node.inputs.map((tensor) => values.get(tensor)!),
    node,
  );
}
