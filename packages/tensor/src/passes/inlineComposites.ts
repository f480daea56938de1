import type { Graph } from '../graph/graph.ts';
import type { Node } from '../graph/node.ts';
import { rebuild, rewriteGraph, substitute, type Rewrite } from '../graph/rewrite.ts';

/** Replaces composites, including nested ones, by their decompositions, except those for which `keep` is true. */
export function inlineComposites(graph: Graph, keep: (node: Node) => boolean = () => false): Graph {
  const inline: Rewrite = (node, inputs) => {
    const kept = rebuild(node, inputs);
    if (!node.operator.body || keep(kept[0].node)) return kept;
    return substitute(node.operator.body(inputs, node.attributes), inputs, inline);
  };
  return rewriteGraph(graph, inline);
}
