import type { Estimate, EstimateRequest, HostArray } from '@flow-matching/core';
import { supportShare } from '@flow-matching/plugins';
import type { AssembledExperiment } from '../experiment/assembleExperiment.ts';
import { atMostHeldOut, drawSamples, heldOutBatch } from '../run/drawSamples.ts';
import type { Output } from '../terminal/output.ts';

/** What a trained flow is judged by. */
export interface Scores {
  /** Samples, [count, ...event], and as many points of the data. */
  readonly samples: HostArray;
  readonly data: HostArray;
  /** Whether the points are held out from training. */
  readonly heldOut: boolean;
  /** Field evaluations of one sample's solve. */
  readonly functionEvaluations: number;
  readonly samplingSeconds: number;
  /** Negative log-likelihood of held-out points; absent where there are none, or no density to start from. */
  readonly nll?: Estimate;
  readonly scoringSeconds?: number;
  /** Entropy of the data, nats, where it is known. */
  readonly entropy?: number;
  /** Share of the samples where the data's density is positive, where it is known. */
  readonly inSupport?: { readonly value: number; readonly standardError: number };
}

/** Points and samples that scores rest on, fewer points where fewer are held out. */
export const scoredCount = 10_000;

export async function scoreRun(
  { flow, data, experiment, registry }: AssembledExperiment,
  output: Output,
  signal: AbortSignal,
): Promise<Scores> {
  const { seed } = experiment;
  const held = await heldOutBatch(data, scoredCount, seed);
  const drawn = await timed(async () => {
    const progress = output.progress('sample', scoredCount);
    return drawSamples({ flow, data }, scoredCount, { seed, signal, onProgress: (done) => progress.update(done) });
  });
  output.endProgress();
  const density = data.density;
  const scored =
    held.heldOut && flow.path.sides === 'one'
      ? await timed(async () => {
          const count = atMostHeldOut(scoredCount, data);
          const progress = output.progress('score', count);
          const onProgress = (done: number): void => progress.update(done);
          return scoreNll({ registry, flow, data }, { count, seed, signal, onProgress });
        })
      : undefined;
  output.endProgress();
  return {
    samples: drawn.result.samples,
    data: held.x1,
    heldOut: held.heldOut,
    functionEvaluations: drawn.result.functionEvaluations,
    samplingSeconds: drawn.seconds,
    ...(scored && { nll: scored.result, scoringSeconds: scored.seconds }),
    ...(density?.entropy !== undefined && { entropy: density.entropy }),
    ...(density && { inSupport: supportShare(density, drawn.result.samples) }),
  };
}

/** Negative log-likelihood of held-out points, nats. @throws OptionError where no points are held out, SolverError. */
export async function scoreNll(
  { registry, flow, data }: Pick<AssembledExperiment, 'registry' | 'flow' | 'data'>,
  request: Omit<EstimateRequest, 'flow' | 'data'>,
): Promise<Estimate> {
  // Exact costs a pass a dimension: for points of the plane that is little.
  const divergence = data.shape.reduce((size, extent) => size * extent, 1) <= 8 ? 'exact' : 'hutchinson';
  return registry.build('estimator', { name: 'nll', divergence }).estimate({ flow, data, ...request });
}

async function timed<Result>(work: () => Promise<Result>): Promise<{ result: Result; seconds: number }> {
  const began = performance.now();
  const result = await work();
  return { result, seconds: (performance.now() - began) / 1000 };
}
