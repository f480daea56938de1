import { checkSupported, supports, type Manifest } from '../backend/manifest.ts';
import type { Graph } from '../graph/graph.ts';
import { hostRandom } from '../random/host.ts';
import { hoistRandomness, type HostRandomness } from './hoistRandomness.ts';
import { inlineComposites } from './inlineComposites.ts';
import { simplify } from './simplify.ts';

export interface PreparedGraph {
  /** Ready to lower: every node is in the manifest. Its inputs are those of the source graph and of `randomness`. */
  readonly graph: Graph;
  /** What the host must draw before each run; undefined if no draws were hoisted. */
  readonly randomness: HostRandomness | undefined;
}

/**
 * Prepares a graph for lowering, as every backend does: random draws that it has no kernel for become inputs that the host
 * fills, composites that it has no kernel for are decomposed, and redundant work is removed.
 *
 * @throws UnsupportedError naming the first operator that is not in the manifest.
 */
export function prepareGraph(source: Graph, manifest: Manifest, backend: string): PreparedGraph {
  // Composites are first opened as far as the draws inside them.
  const drawn = inlineComposites(
    simplify(source),
    (node) => supports(manifest, node) || node.operator.name in hostRandom,
  );
  const hoisted = hoistRandomness(drawn, manifest);
  const graph = simplify(inlineComposites(hoisted.graph, (node) => supports(manifest, node)));
  checkSupported(graph, manifest, backend);
  return { graph, randomness: hoisted.randomness };
}
