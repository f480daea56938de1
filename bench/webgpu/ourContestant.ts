import { webgpu } from '@flow-matching/backend-webgpu/node';
import { backendContestant } from './backendContestant.ts';
import type { Contestant } from './contestant.ts';
import { GraphRecorder } from './graphRecorder.ts';
import { programFacts, programOf } from './programFacts.ts';

/** Our backend, which also tells what it made of a graph. */
export async function ourContestant(): Promise<Contestant> {
  const backend = await webgpu();
  const recorder = new GraphRecorder(backend);
  const contestant = backendContestant(recorder, backend.device);
  return {
    ...contestant,
    prepare: async (work) => {
      recorder.graphs.length = 0;
      const prepared = await contestant.prepare(work);
      const [first] = recorder.graphs;
      return { ...prepared, facts: programFacts(programOf(first, backend.profile)) };
    },
  };
}
