/** Writes packages/conformance/src/programs/storedResults.ts: what the programs of level 5 compute on the reference. */
import { writeFile } from 'node:fs/promises';
import { createReferenceBackend } from '@flow-matching/tensor';
import { graphRecorder } from '../src/programs/graphRecorder.ts';
import { computeResult } from '../src/programs/programResult.ts';
import { runTraining, trainingPrograms } from '../src/programs/trainingProgram.ts';

const base64 = ({ buffer, byteOffset, byteLength }: ArrayBufferView): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64');

const entries: string[] = [];
for (const program of trainingPrograms) {
  const { backend, graphs } = graphRecorder(createReferenceBackend());
  await runTraining(program, backend);
  const rows = Object.entries(await computeResult(program)).map(
    ([name, { values, effect }]) =>
      `    '${name}': {\n      values: '${base64(values)}',\n      effect: '${base64(Float32Array.from(effect))}',\n    },`,
  );
  entries.push(`  // ${program.name}\n  '${graphs[0].hash}': {\n${rows.join('\n')}\n  },`);
}
await writeFile(
  new URL('../src/programs/storedResults.ts', import.meta.url),
  `/**
 * Made by \`npm run conformance:results\`: what the programs of level 5 compute on the f64 reference, by the hash of their training step. Values
 * are f64, their deviations under roundings f32, little-endian in base64.
 */
export const storedResults: Readonly<
  Record<string, Readonly<Record<string, { readonly values: string; readonly effect: string }>>>
> = {
${entries.join('\n')}
};
`,
);
