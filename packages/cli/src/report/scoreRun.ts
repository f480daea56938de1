import type { Estimate, EstimateRequest } from '@flow-matching/core';
import type { HostArray } from '@flow-matching/tensor';
import { supportShare } from '@flow-matching/plugins';
import type { AssembledExperiment } from '../experiment/assembleExperiment.ts';
import { isFinding } from '../errors.ts';
import { atMostHeldOut, distinctPoints, drawSamples } from '../run/drawSamples.ts';
import type { Output } from '../terminal/output.ts';

/** The scores of a trained flow. */
export interface Scores {
  /** [count, ...event]. */
  readonly samples: HostArray;
  /** Points of the data, [count, ...event], without repetition; fewer than samples if there are not enough. */
  readonly data: HostArray;
  /** Whether the points are held out from training. */
  readonly heldOut: boolean;
  /** Field evaluations of one sample's solve. */
  readonly functionEvaluations: number;
  readonly samplingSeconds: number;
  /** Negative log-likelihood of held-out points; absent if there are none, if the path has no prior density, or if it failed. */
  readonly nll?: Estimate;
  /** Why the likelihood could not be computed, if it failed. */
  readonly nllFailure?: string;
  readonly scoringSeconds?: number;
  /** Entropy of the data, nats, if known. */
  readonly entropy?: number;
  /** Fraction of the samples where the data's density is positive, if it is known. */
  readonly inSupport?: { readonly value: number; readonly standardError: number };
}

/** Maximum number of points and samples for scores. */
const scoredCount = 10_000;

/** If the likelihood cannot be computed, it is left out with the reason, so that the samples of a finished training are not lost. */
export async function scoreRun(
  { flow, data, experiment, registry }: AssembledExperiment,
  output: Output,
  signal: AbortSignal,
): Promise<Scores> {
  const { seed } = experiment;
  const held = await distinctPoints(data, scoredCount, seed);
  const twoSided = flow.path.sides === 'two';
  // Each sample of a two-sided path starts from a different point.
  const sampleCount = twoSided ? held.points.shape[0] : scoredCount;
  const drawn = await timed(async () => {
    const progress = output.progress('sample', sampleCount);
    return drawSamples({ flow, data }, sampleCount, { seed, signal, onProgress: (done) => progress.update(done) });
  });
  output.endProgress();
  const density = data.density;
  let nllFailure: string | undefined;
  const scored =
    held.heldOut && !twoSided
      ? await timed(async () => {
          const count = atMostHeldOut(scoredCount, data);
          const progress = output.progress('score', count);
          const onProgress = (done: number): void => progress.update(done);
          return scoreNll({ registry, flow, data }, { count, seed, signal, onProgress });
        }).catch((error: unknown) => {
          if (!isFinding(error)) throw error;
          nllFailure = error.message;
          return undefined;
        })
      : undefined;
  output.endProgress();
  return {
    samples: drawn.result.samples,
    data: held.points,
    heldOut: held.heldOut,
    functionEvaluations: drawn.result.functionEvaluations,
    samplingSeconds: drawn.seconds,
    ...(nllFailure !== undefined && { nllFailure }),
    ...(scored && { nll: scored.result, scoringSeconds: scored.seconds }),
    ...(density?.entropy !== undefined && { entropy: density.entropy }),
    ...(density && { inSupport: supportShare(density, drawn.result.samples) }),
  };
}

/** Negative log-likelihood of held-out points, nats. @throws OptionError if no points are held out; SolverError. */
export async function scoreNll(
  { registry, flow, data }: Pick<AssembledExperiment, 'registry' | 'flow' | 'data'>,
  request: Omit<EstimateRequest, 'flow' | 'data'>,
): Promise<Estimate> {
  // The exact divergence costs one pass per dimension, which is cheap for points of the plane.
  const divergence = data.shape.reduce((size, extent) => size * extent, 1) <= 8 ? 'exact' : 'hutchinson';
  return registry.build('estimator', { name: 'nll', divergence }).estimate({ flow, data, ...request });
}

async function timed<Result>(work: () => Promise<Result>): Promise<{ result: Result; seconds: number }> {
  const began = performance.now();
  const result = await work();
  return { result, seconds: (performance.now() - began) / 1000 };
}
