import { checkSupported, supports, type Manifest } from '../backend/manifest.ts';
import type { Graph } from '../graph/graph.ts';
import { hostRandom } from '../random/host.ts';
import { hoistRandomness, type HostRandomness } from './hoistRandomness.ts';
import { inlineComposites } from './inlineComposites.ts';
import { simplify } from './simplify.ts';

export interface PreparedGraph {
  /** Ready to lower: every node is in the manifest. It has the source graph's inputs plus those of `randomness`. */
  readonly graph: Graph;
  /** What the host must draw before each run; absent where nothing random was hoisted. */
  readonly randomness: HostRandomness | undefined;
}

/**
 * What every backend does to a graph before lowering it: random draws it has no kernel for become inputs that the host fills,
 * composites it has no kernel for become their decompositions, and what costs time for nothing goes.
 *
 * @throws UnsupportedError naming the first operator that is not in the manifest.
 */
export function prepareGraph(source: Graph, manifest: Manifest, backend: string): PreparedGraph {
  // Composites open up first as far as their draws, which may be inside them.
  const drawn = inlineComposites(
    simplify(source),
    (node) => supports(manifest, node) || node.operator.name in hostRandom,
  );
  const hoisted = hoistRandomness(drawn, manifest);
  const graph = simplify(inlineComposites(hoisted.graph, (node) => supports(manifest, node)));
  checkSupported(graph, manifest, backend);
  return { graph, randomness: hoisted.randomness };
}
