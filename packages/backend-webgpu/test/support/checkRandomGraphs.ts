import type { WebgpuBackend } from '@flow-matching/backend-webgpu';
import { evaluateGraph, sameShape, type DType, type Graph, type HostArray } from '@flow-matching/tensor';
import { assert } from 'chai';
import * as fc from 'fast-check';
import { randomGraph, randomInputs, recipes } from './randomGraph.ts';

/** |error| of numbers of about 1 after at most fourteen operators, which shrink more errors than they enlarge. */
const tolerances: Readonly<Partial<Record<DType, number>>> = { f16: 0.008, f32: 1e-4 };

/** Random graphs give what the reference has for them; with an output that takes over the memory of an input too. */
export async function checkRandomGraphs(backend: WebgpuBackend, dtype: DType, count: number): Promise<void> {
  const property = fc.asyncProperty(recipes, fc.nat(999), async (steps, seed) => {
    const graph = randomGraph(steps, dtype);
    const inputs = randomInputs(seed, dtype);
    const expected = evaluateGraph(graph, inputs);
    await checkRun(backend, graph, inputs, expected, []);
    const alias = aliasOf(graph);
    if (alias) await checkRun(backend, graph, inputs, expected, [alias]);
  });
  await fc.assert(property, { numRuns: count, interruptAfterTimeLimit: 600_000 });
}

type Alias = readonly [input: string, output: string];

/** The first output of the type of an input. */
function aliasOf(graph: Graph): Alias | undefined {
  for (const output of graph.outputs) {
    const input = graph.inputs.find(({ tensor }) => sameShape(tensor.shape, output.tensor.shape));
    if (input) return [input.name, output.name];
  }
  return undefined;
}

async function checkRun(
  backend: WebgpuBackend,
  graph: Graph,
  inputs: Readonly<Record<string, HostArray>>,
  expected: Readonly<Record<string, HostArray>>,
  aliases: readonly Alias[],
): Promise<void> {
  const executable = await backend.compile(graph, { aliases });
  const given = Object.fromEntries(Object.entries(inputs).map(([name, array]) => [name, backend.array(array)]));
  try {
    const outputs = await executable.run(given);
    for (const { name, tensor } of graph.outputs) {
      const data = await outputs[name].read();
      const wanted = expected[name].data;
      assert.lengthOf(data, wanted.length, name);
      for (let i = 0; i < data.length; i++) {
        if (!(Math.abs(data[i] - wanted[i]) <= tolerances[tensor.dtype]!))
          assert.fail(
            `${name} [${i}] is ${data[i]}, not ${wanted[i]}, of ${aliases.join() || 'no'} alias:\n${graph.toString()}`,
          );
      }
      outputs[name].dispose();
    }
  } finally {
    for (const array of Object.values(given)) array.dispose();
    await executable.dispose();
  }
}
