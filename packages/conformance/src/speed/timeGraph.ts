import type { Graph, HostArray } from '@flow-matching/tensor';
import type { CaseContext } from '../case/conformanceCase.ts';
import { medianTime } from './medianTime.ts';

/** Median milliseconds of a run with inputs on the backend; outputs stay there except the first, which is read. */
export async function timeGraph(
  { backend }: CaseContext,
  graph: Graph,
  inputs: Readonly<Record<string, HostArray>>,
): Promise<number> {
  const executable = await backend.compile(graph);
  const arrays = Object.fromEntries(Object.entries(inputs).map(([name, array]) => [name, backend.array(array)]));
  try {
    return await medianTime(async () => {
      const outputs = Object.values(await executable.run(arrays));
      await outputs[0].read();
      for (const output of outputs) output.dispose();
    });
  } finally {
    for (const array of Object.values(arrays)) array.dispose();
    await executable.dispose();
  }
}
