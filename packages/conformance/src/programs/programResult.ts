import { createReferenceBackend, HostRandomStream, type HostArray } from '@flow-matching/tensor';
import { largestDeviation } from '../rounding/largestDeviation.ts';
import { roundedReference } from '../rounding/roundedReference.ts';
import { runTraining, type TrainingProgram } from './trainingProgram.ts';

/** The results of a program, and the effect of f32 roundings on each element, by name. */
export type ProgramResult = Readonly<
  Record<string, { readonly values: Float64Array; readonly effect: Float64Array | Float32Array }>
>;

/** Computed on the reference, and several times with random roundings. */
export async function computeResult(program: TrainingProgram): Promise<ProgramResult> {
  const exact = await runTraining(program, createReferenceBackend());
  const effect = await largestDeviation(exact, (draw) =>
    runTraining(program, roundedReference(new HostRandomStream(draw))),
  );
  const result = (name: string, { data }: HostArray) => ({ values: Float64Array.from(data), effect: effect[name] });
  return Object.fromEntries(Object.entries(exact).map(([name, array]) => [name, result(name, array)]));
}
