import { CallSite } from './callSite.ts';
import { Graph, type GraphPort } from './graph.ts';
import { apply, type Node } from './node.ts';
import type { Tensor } from './tensor.ts';

/** Rewrites one node: returns the tensors that replace its outputs, given the replacements of its inputs. */
export type Rewrite = (node: Node, inputs: readonly Tensor[]) => readonly Tensor[];

/** The node applied to other inputs; the node itself if they have not changed. */
export const rebuild: Rewrite = (node, inputs) =>
  inputs.every((tensor, i) => tensor === node.inputs[i]) ? node.outputs : apply(node.operator, inputs, node.attributes);

/** Replaces every node except the inputs, in order; the result may have further inputs. New nodes keep the call site of the replaced node. */
export function rewriteGraph(graph: Graph, rewrite: Rewrite, furtherInputs: readonly GraphPort[] = []): Graph {
  const replaced = replaceAll(graph, new Map(), rewrite);
  return new Graph(
    [...graph.inputs, ...furtherInputs],
    graph.outputs.map(({ name, tensor }) => ({ name, tensor: replaced.get(tensor)! })),
  );
}

/**
 * The outputs of `graph` computed from `inputs` instead of its own: inlining. While a node is being replaced or differentiated,
 * the new nodes get its call site, because a composite's body has that of its first use.
 */
export function substitute(graph: Graph, inputs: readonly Tensor[], rewrite: Rewrite = rebuild): Tensor[] {
  const given = new Map(graph.inputs.map(({ tensor }, i) => [tensor, inputs[i]]));
  const replaced = replaceAll(graph, given, rewrite, CallSite.current);
  return graph.outputs.map(({ tensor }) => replaced.get(tensor)!);
}

function replaceAll(
  graph: Graph,
  replaced: Map<Tensor, Tensor>,
  rewrite: Rewrite,
  site?: CallSite,
): Map<Tensor, Tensor> {
  for (const { tensor } of graph.inputs) if (!replaced.has(tensor)) replaced.set(tensor, tensor);
  for (const node of graph.nodes) {
    if (replaced.has(node.outputs[0])) continue;
    const inputs = node.inputs.map((tensor) => replaced.get(tensor)!);
    const outputs = CallSite.with(site ?? node.callSite, () => rewrite(node, inputs));
    node.outputs.forEach((tensor, i) => replaced.set(tensor, outputs[i]));
  }
  return replaced;
}
