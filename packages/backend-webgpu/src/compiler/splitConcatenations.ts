import { concat, rebuild, rewriteGraph, type Graph, type Tensor } from '@flow-matching/tensor';

/** The largest number of tensors concatenated in one step. */
const mostParts = 4;

/** Turns long concatenations into nested ones, so that a kernel with few buffers can do a part. */
export const splitConcatenations = (graph: Graph): Graph =>
  rewriteGraph(graph, (node, inputs) => {
    if (node.operator.name !== 'Concat' || inputs.length <= mostParts) return rebuild(node, inputs);
    const { axis } = node.attributes as unknown as { axis: number };
    return [joined(inputs, axis)];
  });

function joined(parts: readonly Tensor[], axis: number): Tensor {
  if (parts.length <= mostParts) return concat(parts, axis);
  const each = mostParts ** Math.floor(Math.log(parts.length - 1) / Math.log(mostParts));
  const groups = Array.from({ length: Math.ceil(parts.length / each) }, (_, i) =>
    parts.slice(i * each, (i + 1) * each),
  );
  return concat(
    groups.map((group) => joined(group, axis)),
    axis,
  );
}
