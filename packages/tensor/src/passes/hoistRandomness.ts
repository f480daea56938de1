import { supports, type Manifest } from '../backend/manifest.ts';
import { Graph, input } from '../graph/graph.ts';
import type { Node } from '../graph/node.ts';
import { rebuild, rewriteGraph } from '../graph/rewrite.ts';
import { hostRandom } from '../random/host.ts';
import { evaluateGraph } from '../reference/evaluateGraph.ts';
import type { HostArray } from '../tensor/hostArray.ts';

/** Random arrays that the host draws for a backend that cannot. */
export interface HostRandomness {
  /** Graph inputs that the draws depend on (seeds and counters). The host must know their values before a run. */
  readonly dependsOn: readonly string[];
  /** The arrays to feed besides the run's own inputs, from the values of `dependsOn`; other values are ignored. */
  draw(inputs: Readonly<Record<string, HostArray>>): Record<string, HostArray>;
}

/**
 * Turns random draws that the manifest lacks into graph inputs, drawn by the host from the same key and counter: whole
 * distributions if they are one node, else random bits. The values are those that the graph itself would have computed.
 */
export function hoistRandomness(
  graph: Graph,
  manifest: Manifest,
): { graph: Graph; randomness: HostRandomness | undefined } {
  if (manifest.has('RandomBits')) return { graph, randomness: undefined };
  const draws = graph.nodes.filter((node) => node.operator.name in hostRandom && !supports(manifest, node));
  if (draws.length === 0) return { graph, randomness: undefined };

  const names = new Map(draws.map((node, i) => [node, `random.${i}`]));
  const fed = new Map(draws.map((node) => [node, input(names.get(node)!, node.outputs[0])]));
  const seeds = seedGraph(graph, draws);
  const dependsOn = seeds.inputs.map((port) => port.name);
  const rewritten = rewriteGraph(
    graph,
    (node, inputs) => {
      const drawn = fed.get(node);
      return drawn ? [drawn] : rebuild(node, inputs);
    },
    draws.map((node) => ({ name: names.get(node)!, tensor: fed.get(node)! })),
  );
  return {
    graph: rewritten,
    randomness: {
      dependsOn,
      draw(given) {
        const values = evaluateGraph(seeds, Object.fromEntries(dependsOn.map((name) => [name, given[name]])));
        return Object.fromEntries(
          draws.map((node, i) => {
            const key = values[`key.${i}`].data as Uint32Array;
            const counter = values[`counter.${i}`].data as Uint32Array;
            return [names.get(node)!, hostRandom[node.operator.name](key, counter, node.outputs[0].shape)];
          }),
        );
      },
    },
  };
}

/** Keys and counters of the draws as a separate small graph. */
function seedGraph(graph: Graph, draws: readonly Node[]): Graph {
  const outputs = draws.flatMap((node, i) => [
    { name: `key.${i}`, tensor: node.inputs[0] },
    { name: `counter.${i}`, tensor: node.inputs[1] },
  ]);
  const needed = new Set(new Graph(graph.inputs, outputs).nodes);
  return new Graph(
    graph.inputs.filter(({ tensor }) => needed.has(tensor.node)),
    outputs,
  );
}
