import {
  createReferenceBackend,
  evaluateOperator,
  hostBackend,
  inlineComposites,
  toStorage,
  type Backend,
  type Graph,
  type HostArray,
  type NamedHostArrays,
  type Tensor,
} from '@flow-matching/tensor';

/**
 * The reference with every result of a primitive operator rounded to its dtype: a formula that loses its digits in f32 loses
 * them here too. The default backend for checking plugins.
 */
export function singleReference(): Backend {
  const { manifest } = createReferenceBackend();
  return hostBackend({
    name: 'reference-single',
    device: 'cpu, interpreted in f64, every result rounded to its dtype',
    manifest,
    compile(graph) {
      const opened = inlineComposites(graph);
      return (inputs) => evaluateRounded(opened, inputs);
    },
  });
}

function evaluateRounded(graph: Graph, inputs: NamedHostArrays): Record<string, HostArray> {
  const values = new Map<Tensor, HostArray>(graph.inputs.map(({ name, tensor }) => [tensor, rounded(inputs[name])]));
  for (const node of graph.nodes) {
    const [result] = node.outputs;
    if (values.has(result)) continue;
    const operands = node.inputs.map((tensor) => values.get(tensor)!);
    values.set(result, rounded(evaluateOperator(node, operands)));
  }
  return Object.fromEntries(graph.outputs.map(({ name, tensor }) => [name, values.get(tensor)!]));
}

const rounded = ({ data, shape, dtype }: HostArray): HostArray => ({ data: toStorage(data, dtype), shape, dtype });
