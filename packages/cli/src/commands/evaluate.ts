import {
  nearestName,
  type Dataset,
  type Estimate,
  type Estimator,
  type KnownDensity,
  type PluginRegistry,
  type PluginSpec,
} from '@flow-matching/core';
import { DataError, formatShape, OptionError, sameShape, type FlowMatchingError, oneLine } from '@flow-matching/tensor';
import { extname, resolve } from 'node:path';
import { isFinding, RunError, UsageError } from '../errors.ts';
import type { AssembledFlow } from '../experiment/assembleExperiment.ts';
import { optionsOf } from '../experiment/pluginOptions.ts';
import { checkSamplesMemory } from '../run/memory.ts';
import { openRun } from '../run/openRun.ts';
import { formatNumber, formatTable } from '../terminal/formatTable.ts';
import { atMostHeldOut } from '../run/drawSamples.ts';
import type { Output } from '../terminal/output.ts';
import { Interrupts } from '../terminal/interrupts.ts';
import { describeError, errorDocument } from '../terminal/describeError.ts';
import { formatSeconds } from '../terminal/progress.ts';
import type { CommandContext } from './cliCommand.ts';
import type { RunOptions } from './runOptions.ts';
import { solverSettings, type SolverOptions } from './solverSettings.ts';
import { defaultCount } from './usage/evaluate.ts';

interface EvaluateOptions extends SolverOptions, RunOptions {
  readonly metric?: readonly string[];
  readonly count?: number;
  readonly data?: string;
  readonly divergence?: string;
  readonly seed?: number;
}

export async function evaluate(
  context: CommandContext,
  [path]: [run: string],
  { metric, count, data: file, divergence, seed, ...options }: EvaluateOptions,
): Promise<void> {
  const { output } = context;
  using interrupts = new Interrupts(output, 'Stopping.');
  const { assembled, step, data: trainingData } = await openRun(context, path, solverSettings(options), options);
  await using opened = assembled;
  const { flow, registry, experiment } = opened;
  const data =
    file === undefined ? await trainingData() : await pointsOf(file, opened, await knownDensity(trainingData, output));
  if (file !== undefined) for (const warning of data.warnings ?? []) output.warn(warning);
  const points = count ?? (file === undefined ? atMostHeldOut(defaultCount, data) : data.size!);
  checkSamplesMemory({ count: points, shape: data.shape });
  const names = metric ?? (flow.path.sides === 'one' ? ['nll', 'function-evaluations'] : ['function-evaluations']);
  const estimators = names.map((name) => [name, buildEstimator(registry, name, divergence)] as const);
  if (options.solver !== undefined && flow.solver.stochastic) refuseLikelihoods(registry, names, options.solver);
  const results: Record<string, Estimate & { seconds: number }> = {};
  const failures: Record<string, FlowMatchingError> = {};
  for (const [name, estimator] of estimators) {
    const began = performance.now();
    const progress = output.progress(name, points);
    try {
      const estimate = await estimator.estimate({
        flow,
        data,
        count: points,
        seed: seed ?? experiment.seed,
        signal: interrupts.signal,
        onProgress: (done) => progress.update(done),
      });
      results[name] = { ...estimate, seconds: (performance.now() - began) / 1000 };
    } catch (error) {
      // If one metric cannot be computed, the others still are.
      if (!isFinding(error) || estimators.length === 1) throw error;
      failures[name] = error;
    } finally {
      output.endProgress();
    }
  }
  const failed = Object.entries(failures);
  for (const [name, error] of failed) output.warn(`${name}: ${describeError(error)}`);
  if (failed.length > 0) output.failed = true;
  const rows = names.flatMap((name) =>
    name in results ? estimateRows(name, results[name]) : [[name, '–', 'failed', '']],
  );
  output.result(formatTable(rows), {
    run: path,
    step,
    data: file ?? experiment.data,
    metrics: results,
    ...(failed.length > 0 && {
      failures: Object.fromEntries(failed.map(([name, error]) => [name, errorDocument(error)])),
    }),
  });
}

/** A metric and its details. */
function estimateRows(name: string, estimate: Estimate & { seconds: number }): string[][] {
  const { value, standardError, unit, count, solver, details = {}, seconds } = estimate;
  const by = solver === undefined ? '' : `by ${solver}, `;
  const error = standardError === undefined ? '' : ` ± ${standardError.toPrecision(2)}`;
  const rows = Object.entries(details).map(([detail, number]) => [`  ${detail}`, formatNumber(number), '', '']);
  return [
    [name, `${formatNumber(value)}${error}`, unit, `${by}${formatNumber(count)} points, ${formatSeconds(seconds)}`],
    ...rows,
  ];
}

const takesDivergence = (registry: PluginRegistry, name: string): boolean =>
  registry
    .list('estimator')
    .some((known) => known.pluginName === name && optionsOf(known).some((option) => option.name === 'divergence'));

/** @throws UsageError if a likelihood is requested with an explicit stochastic solver. */
function refuseLikelihoods(registry: PluginRegistry, names: readonly string[], solver: string): void {
  const likelihood = names.find((name) => takesDivergence(registry, name));
  if (likelihood === undefined) return;
  throw new UsageError(`--solver ${solver} is stochastic, and '${likelihood}' needs a density along its solution.`, {
    actual: solver,
    expected: 'a solver of ordinary differential equations',
    remedy: 'Name other metrics with --metric, or leave out --solver: likelihoods are then computed by dopri5.',
  });
}

/** @throws UsageError for an unknown metric or divergence. */
function buildEstimator(registry: PluginRegistry, name: string, divergence: string | undefined): Estimator {
  const known = registry.list('estimator').find(({ pluginName }) => pluginName === name);
  if (!known) {
    const names = registry.list('estimator').map(({ pluginName }) => pluginName);
    const nearest = nearestName(name, names);
    throw new UsageError(`--metric ${name}: there is no such metric.`, {
      actual: name,
      expected: `one of ${names.join(', ')}`,
      ...(nearest !== undefined && { remedy: `Did you mean '${nearest}'?` }),
    });
  }
  try {
    return registry.build('estimator', {
      name,
      ...(takesDivergence(registry, name) && divergence !== undefined && { divergence }),
    });
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new UsageError(`--divergence ${divergence}: there is no such divergence.`, {
      actual: divergence,
      expected: 'exact or hutchinson',
      cause: error,
    });
  }
}

/**
 * All points of a file, to be scored, read with the options of the run's own file. The entropy of the training data does not
 * apply to them, its support does.
 *
 * @throws DataError if their shape differs from that of the training data.
 */
async function pointsOf(
  file: string,
  { experiment, flow, registry }: AssembledFlow,
  density: KnownDensity | undefined,
): Promise<Dataset> {
  const options = readingOptions(experiment.data, file);
  const points = await registry.build('dataset', { ...options, name: 'points', file: resolve(file) });
  if (!sameShape(points.shape, flow.context.shape)) {
    throw new DataError(`Points of ${oneLine(file)} have the shape ${formatShape(points.shape)}.`, {
      actual: points.shape,
      expected: `${formatShape(flow.context.shape)}, like the training points`,
    });
  }
  return {
    ...points,
    ...(density && { density: { logDensity: (at) => density.logDensity(at) } }),
    batch: async (request) => points.batch({ ...request, split: 'train' }),
  };
}

/** The density of the training data. If that data is missing, points of a file can still be scored, except by metrics that need the density. */
async function knownDensity(data: () => Promise<Dataset>, output: Output): Promise<KnownDensity | undefined> {
  try {
    return (await data()).density;
  } catch (error) {
    if (!(error instanceof DataError || error instanceof RunError)) throw error;
    output.warn(`The data of the training is not used: ${error.message}`);
    return undefined;
  }
}

/** The options with which a part of the experiment reads a file of the same kind, without those that select points. */
function readingOptions({ file: own, target, ...options }: PluginSpec, file: string): Record<string, unknown> {
  if (typeof own !== 'string') return isSpec(target) ? readingOptions(target, file) : {};
  const { header, delimiter, columns } = options;
  const given = Object.entries({ header, delimiter, columns }).filter(([, value]) => value !== undefined);
  return extname(own).toLowerCase() === extname(file).toLowerCase() ? Object.fromEntries(given) : {};
}

const isSpec = (value: unknown): value is PluginSpec => typeof value === 'object' && value !== null && 'name' in value;
