import { checkRunInputs } from '../backend/runInputs.ts';
import { DTypeError, UnsupportedError } from '../errors.ts';
import { finishNow, type Stepwise } from '../eventLoop/stepwise.ts';
import type { Graph } from '../graph/graph.ts';
import type { Node } from '../graph/node.ts';
import type { Tensor } from '../graph/tensor.ts';
import { isFloat, isStorageOf, type TypedArray } from '../tensor/dtype.ts';
import type { HostArray } from '../tensor/hostArray.ts';
import { kernels } from './kernels.ts';

/**
 * Computes a graph's outputs, by name, from its inputs, by name, in f64. Simple and slow.
 *
 * Floats of every dtype are returned in a Float64Array, unrounded, so that a backend's f32 results can be compared with exact
 * ones; they may be passed in a Float32Array or a Float64Array. Results are read-only: they may share memory with the inputs
 * and the graph's constants.
 *
 * @throws GraphError for a missing or unknown input; ShapeError or DTypeError for an input of the wrong type; UnsupportedError
 *   for an operator that is neither a primitive nor a composite.
 */
export function evaluateGraph(graph: Graph, inputs: Readonly<Record<string, HostArray>>): Record<string, HostArray> {
  return finishNow(evaluateSteps(graph, inputs));
}

/** The same, stopping after each node. */
export function* evaluateSteps(
  graph: Graph,
  inputs: Readonly<Record<string, HostArray>>,
): Stepwise<Record<string, HostArray>> {
  checkRunInputs(graph.inputs, inputs);
  const results = yield* evaluateBody(
    graph,
    graph.inputs.map(({ name }) => inReferenceStorage(inputs[name])),
  );
  return Object.fromEntries(graph.outputs.map(({ name }, i) => [name, results[i]]));
}

/** Outputs by position from inputs by position, which are already in the reference's storage. */
function* evaluateBody(graph: Graph, inputs: readonly HostArray[]): Stepwise<HostArray[]> {
  const values = new Map<Tensor, HostArray>(graph.inputs.map(({ tensor }, i) => [tensor, inputs[i]]));
  for (const node of graph.nodes) {
    if (values.has(node.outputs[0])) continue;
    const operands = node.inputs.map((tensor) => values.get(tensor)!);
    const results = yield* evaluateNode(node, operands);
    node.outputs.forEach((tensor, i) => values.set(tensor, results[i]));
    yield;
  }
  return graph.outputs.map(({ tensor }) => values.get(tensor)!);
}

/**
 * Computes one application of a primitive as the reference defines it: the value of its output, with floats unrounded in f64.
 * Float operands may be in a Float32Array or a Float64Array.
 *
 * @throws UnsupportedError for an operator that is neither a primitive nor a composite.
 */
export const evaluateOperator = (node: Node, inputs: readonly HostArray[]): HostArray =>
  finishNow(evaluateNode(node, inputs.map(inReferenceStorage)))[0];

function* evaluateNode(node: Node, inputs: readonly HostArray[]): Stepwise<HostArray[]> {
  const kernel = kernels.get(node.operator.name);
  if (kernel) {
    const [{ shape, dtype }] = node.outputs;
    return [{ data: kernel.evaluate(node, inputs), shape, dtype }];
  }
  if (node.operator.body) return yield* evaluateBody(node.operator.body(node.inputs, node.attributes), inputs);
  throw new UnsupportedError(`The reference has no ${node.operator.name}.`, {
    actual: node.operator.name,
    expected: 'a primitive operator, or a composite of them',
    callSite: node.callSite,
  });
}

/** Floats widened to f64; other dtypes unchanged. */
export function inReferenceStorage({ data, shape, dtype }: HostArray): HostArray {
  return { data: widened(data, dtype), shape, dtype };
}

function widened(data: TypedArray, dtype: HostArray['dtype']): TypedArray {
  if (isFloat(dtype) && data instanceof Float32Array) return Float64Array.from(data);
  if (isStorageOf(data, isFloat(dtype) ? 'f64' : dtype)) return data;
  const { name } = (data as TypedArray).constructor;
  throw new DTypeError(`A ${name} does not hold ${dtype}.`, {
    actual: name,
    expected: isFloat(dtype) ? 'a Float32Array or a Float64Array' : `the storage of ${dtype}`,
  });
}
