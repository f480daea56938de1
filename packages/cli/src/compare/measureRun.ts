import { SolverError, type Dataset, type Estimate } from '@flow-matching/core';
import { type HostArray } from '@flow-matching/tensor';
import { supportShare } from '@flow-matching/plugins';
import { isFinding } from '../errors.ts';
import type { AssembledFlow } from '../experiment/assembleExperiment.ts';
import type { OpenedRun } from '../run/openRun.ts';
import { atMostHeldOut, drawSamples, heldOutBatch } from '../run/drawSamples.ts';
import { readMetrics, type Metrics } from '../run/metricsLog.ts';
import { scoreNll } from '../report/scoreRun.ts';
import type { Output } from '../terminal/output.ts';
import { costTasks, samplingCost, type SamplingCost } from './samplingCost.ts';

/** The measurements of one run for the comparison. */
export interface Measurement {
  readonly run: string;
  /** Name in tables and legends. */
  readonly label: string;
  readonly step: number;
  /** Number of held-out points used for scores; absent if none are held out. */
  readonly heldOutCount?: number;
  readonly path: string;
  readonly objective: string;
  readonly nll?: Estimate;
  /** Entropy of the data, nats, if known. */
  readonly entropy?: number;
  readonly inSupport?: { readonly value: number; readonly standardError: number };
  /** With dopri5 at tolerance 1e-5. */
  readonly functionEvaluations?: number;
  readonly wasserstein2?: Estimate;
  readonly millisecondsPerStep?: number;
  readonly cost?: SamplingCost;
  /** Trajectories of the samples, [count, points, d], if the data are points. */
  readonly trajectories?: { readonly trajectory: HostArray; readonly times: readonly number[] };
  /** Samples of dopri5 at tolerance 1e-5, [count, ...event]. */
  readonly samples?: HostArray;
  /** What could not be measured, and why. */
  readonly failures: readonly string[];
}

/** A run's flow, and the data it was trained on. */
export interface MeasuredRun extends Pick<OpenedRun, 'run' | 'step'> {
  readonly assembled: AssembledFlow & { readonly data: Dataset };
}

export interface MeasureRequest {
  readonly label: string;
  readonly count: number;
  readonly seed: number;
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** The solver used to sample and score every run, regardless of its own: the paper's choice. */
export const comparedSolver = { name: 'dopri5', rtol: 1e-5, atol: 1e-5 } as const;

/** Number of samples for errors and pictures: one batch, as large as a picture needs. */
export const costCount = 2048;
/** Number of points matched exactly for the Wasserstein distance, whose cost grows with the cube. */
export const matchedCount = 1024;
/** Number of points kept per trajectory; they include the quarters of the interval. */
const trajectoryPoints = 33;

/**
 * Samples, scores and times a trained flow. Failures of a solver are results: the measurement is left out and listed among the
 * failures. Other errors fail the command.
 */
export async function measureRun(
  { run, assembled, step }: MeasuredRun,
  { label, count, seed, output, signal }: MeasureRequest,
): Promise<Measurement> {
  const { flow, data, registry, experiment } = assembled;
  const failures: string[] = [];
  const progress = output.progress(label, costTasks + 4);
  let done = 0;
  const attempt = async <Result>(what: string, work: () => Promise<Result>): Promise<Result | undefined> => {
    progress.update(done, what);
    try {
      return await work();
    } catch (error) {
      if (!isFinding(error)) throw error;
      if (!(error instanceof SolverError)) output.failed = true;
      failures.push(`${what}: ${error.message}`);
      output.warn(`${label}, ${what}: ${error.message}`);
      return undefined;
    } finally {
      done++;
    }
  };
  const request = { count, seed, signal };
  const drawn = await attempt('samples', () => drawSamples({ flow, data }, count, { seed, signal }));
  const { heldOut } = await heldOutBatch(data, 1, seed);
  const scorable = heldOut && flow.path.sides === 'one';
  const points = atMostHeldOut(count, data);
  const nll = scorable
    ? await attempt('likelihood', () => scoreNll(assembled, { ...request, count: points }))
    : undefined;
  const hasDistance = registry.list('estimator').some(({ pluginName }) => pluginName === 'wasserstein-2');
  const wasserstein2 =
    hasDistance && heldOut
      ? await attempt('Wasserstein distance', () =>
          registry
            .build('estimator', { name: 'wasserstein-2' })
            .estimate({ flow, data, ...request, count: Math.min(points, matchedCount) }),
        )
      : undefined;
  const shown = Math.min(count, costCount);
  const cost = await samplingCost(assembled, { count: shown, seed, signal, attempt });
  const trajectories =
    data.shape.length === 1
      ? await attempt('trajectories', () =>
          drawSamples({ flow, data }, shown, { seed, signal, trajectory: trajectoryPoints }),
        )
      : undefined;
  output.endProgress();
  const metrics = await readMetrics(run.metricsFile, (text) => output.warn(text));
  const millisecondsPerStep = stepTime(metrics);
  const { density } = data;
  return {
    run: run.path,
    label,
    step,
    ...(heldOut && { heldOutCount: points }),
    path: experiment.path.name,
    objective: experiment.objective.name,
    ...(nll && { nll }),
    ...(density?.entropy !== undefined && { entropy: density.entropy }),
    ...(density && drawn && { inSupport: supportShare(density, drawn.samples) }),
    ...(drawn && { functionEvaluations: drawn.functionEvaluations, samples: drawn.samples }),
    ...(wasserstein2 && { wasserstein2 }),
    ...(millisecondsPerStep !== undefined && { millisecondsPerStep }),
    ...(cost && { cost }),
    ...(trajectories && { trajectories: { trajectory: trajectories.trajectory!, times: trajectories.times! } }),
    failures,
  };
}

/** The median over the reports, so that a temporarily busy machine does not count. */
function stepTime(metrics: readonly Metrics[]): number | undefined {
  const times = metrics
    .slice(1)
    .map(({ step, seconds }, i) => (1000 * (seconds - metrics[i].seconds)) / (step - metrics[i].step))
    .toSorted((a, b) => a - b);
  return times.at(Math.floor(times.length / 2));
}
