import {
  nearestName,
  OptionError,
  type Dataset,
  type Estimate,
  type Estimator,
  type PluginRegistry,
} from '@flow-matching/core';
import { resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import { optionsOf } from '../experiment/pluginOptions.ts';
import { openRun } from '../run/openRun.ts';
import { formatNumber, formatTable } from '../terminal/formatTable.ts';
import { atMostHeldOut } from '../run/drawSamples.ts';
import { Interrupts } from '../terminal/interrupts.ts';
import { formatSeconds } from '../terminal/progress.ts';
import type { CommandContext } from './cliCommand.ts';
import { solverSettings, type SolverOptions } from './solverSettings.ts';
import { defaultCount } from './usage/evaluate.ts';

interface EvaluateOptions extends SolverOptions {
  readonly metric?: readonly string[];
  readonly count?: number;
  readonly data?: string;
  readonly divergence?: string;
  readonly seed?: number;
}

export async function evaluate(
  context: CommandContext,
  [path]: [run: string],
  { metric, count, data: file, divergence, seed, ...solver }: EvaluateOptions,
): Promise<void> {
  const { output } = context;
  using interrupts = new Interrupts(output, 'Stopping.');
  const { assembled, step } = await openRun(context, path, solverSettings(solver));
  await using opened = assembled;
  const { flow, registry, experiment } = opened;
  const data = file === undefined ? opened.data : await pointsOf(registry, file, opened.data);
  const points = count ?? (file === undefined ? atMostHeldOut(defaultCount, data) : data.size!);
  const names = metric ?? (flow.path.sides === 'one' ? ['nll', 'function-evaluations'] : ['function-evaluations']);
  const estimators = names.map((name) => [name, buildEstimator(registry, name, divergence)] as const);
  const results: Record<string, Estimate & { seconds: number }> = {};
  for (const [name, estimator] of estimators) {
    const began = performance.now();
    const progress = output.progress(name, points);
    const estimate = await estimator.estimate({
      flow,
      data,
      count: points,
      seed: seed ?? experiment.seed,
      signal: interrupts.signal,
      onProgress: (done) => progress.update(done),
    });
    output.endProgress();
    results[name] = { ...estimate, seconds: (performance.now() - began) / 1000 };
  }
  const rows = Object.entries(results).flatMap(([name, estimate]) => estimateRows(name, estimate));
  output.result(formatTable(rows), { run: path, step, data: file ?? experiment.data, metrics: results });
}

/** A metric and whatever was measured on the way. */
function estimateRows(name: string, estimate: Estimate & { seconds: number }): string[][] {
  const { value, standardError, unit, count, details = {}, seconds } = estimate;
  const error = standardError === undefined ? '' : ` ± ${standardError.toPrecision(2)}`;
  const rows = Object.entries(details).map(([detail, number]) => [`  ${detail}`, formatNumber(number), '', '']);
  return [
    [name, `${formatNumber(value)}${error}`, unit, `${formatNumber(count)} points, ${formatSeconds(seconds)}`],
    ...rows,
  ];
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
  const takesDivergence = optionsOf(known).some((option) => option.name === 'divergence');
  try {
    return registry.build('estimator', { name, ...(takesDivergence && divergence !== undefined && { divergence }) });
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new UsageError(`--divergence ${divergence}: there is no such divergence.`, {
      actual: divergence,
      expected: 'exact or hutchinson',
      cause: error,
    });
  }
}

/** The points of a file, all of them to be scored. Their entropy is not that of the training's data, the support of samples is. */
async function pointsOf(registry: PluginRegistry, file: string, { density }: Dataset): Promise<Dataset> {
  const points = await registry.build('dataset', { name: 'points', file: resolve(file) });
  return {
    ...points,
    ...(density && { density: { logDensity: (at) => density.logDensity(at) } }),
    batch: async (request) => points.batch({ ...request, split: 'train' }),
  };
}
