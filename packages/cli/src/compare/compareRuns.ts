import { oneLine } from '@flow-matching/tensor';
import type { FlowMatchingError, HostArray } from '@flow-matching/tensor';
import { basename, join } from 'node:path';
import type { CommandContext } from '../commands/cliCommand.ts';
import type { RunOptions } from '../commands/runOptions.ts';
import { checkDirectoryDestination } from '../disk/checkDestination.ts';
import { makeDirectory } from '../disk/makeDirectory.ts';
import { writeAtomically } from '../disk/writeAtomically.ts';
import { isFinding } from '../errors.ts';
import { domainOf, planePoints, unionOf, type Domain } from '../report/domain.ts';
import { figureFile } from '../report/figureFile.ts';
import type { Figure } from '../report/reportHtml.ts';
import { distinctPoints } from '../run/drawSamples.ts';
import { environmentOf } from '../run/environment.ts';
import { checkSamplesMemory } from '../run/memory.ts';
import { dataOfRun, loadRun, noCheckpoint, openLoaded, type LoadedRun } from '../run/openRun.ts';
import { describeError } from '../terminal/describeError.ts';
import { formatNumber, formatTable } from '../terminal/formatTable.ts';
import { checkSameData, type DataOfRun } from './checkSameData.ts';
import { compareHtml } from './compareHtml.ts';
import { comparisonTable } from './comparisonTable.ts';
import { runDocument } from './comparisonDocument.ts';
import { costFigure } from './costFigure.ts';
import { comparedSolver, costCount, measureRun, type Measurement, type MeasureRequest } from './measureRun.ts';
import { fewEvaluationsFigure, trajectoriesFigure } from './sampleFigures.ts';

export interface CompareRequest {
  readonly paths: readonly string[];
  readonly count: number;
  /** Seed of noise and held-out points. Default: that of the first run. */
  readonly seed?: number | undefined;
  /** Output directory. */
  readonly directory: string;
  /** How much the runs are trusted. */
  readonly options: RunOptions;
  readonly signal: AbortSignal;
}

/** A compared run, loaded once, so that its warnings appear once. */
interface ComparedRun extends DataOfRun {
  readonly source: LoadedRun;
}

/** Compares runs: prints the table, and writes figures, a page and the numbers to a directory. */
export async function compareRuns(
  context: CommandContext,
  { paths, count, seed: asked, directory, options, signal }: CompareRequest,
): Promise<void> {
  const { output } = context;
  await checkDirectoryDestination('--out', directory);
  const runs: ComparedRun[] = [];
  for (const path of paths) runs.push(await dataOf(context, path, options));
  const seed = asked ?? runs[0].experiment.seed;
  await checkSameData(runs, seed);
  checkSamplesMemory({ count, shape: runs[0].data.shape });
  const labels = labelsOf(runs);
  const measurements: Measurement[] = [];
  const failed: { readonly label: string; readonly error: FlowMatchingError }[] = [];
  let environment: Record<string, unknown> = {};
  // One after another, so that only one flow is in memory.
  for (const [i, run] of runs.entries()) {
    try {
      const measured = await measure(context, run, options, { label: labels[i], count, seed, output, signal });
      environment = measured.environment;
      measurements.push(measured.measurement);
    } catch (error) {
      // The measurements of other runs are kept if this one fails.
      if (!isFinding(error)) throw error;
      failed.push({ label: labels[i], error });
    } finally {
      output.endProgress();
    }
  }

  if (measurements.length === 0) throw failed[0].error;
  if (failed.length > 0) output.failed = true;
  for (const { label, error } of failed) output.warn(`${label}: ${describeError(error)}`);
  const failures = failed.map(({ label, error }) => `${label} – ${error.message}`);

  const table = comparisonTable(measurements);
  const drawn = figures(measurements, await distinctPoints(runs[0].data, costCount, seed));
  const document = {
    count,
    seed,
    data: runs[0].experiment.data,
    solver: comparedSolver,
    runs: measurements.map(runDocument),
    ...(failures.length > 0 && { failures }),
    environment,
  };
  await makeDirectory(directory);
  const files: Record<string, string> = {};
  const save = async (name: string, file: string, text: string): Promise<void> => {
    files[name] = join(directory, file);
    await writeAtomically(files[name], [text]);
  };
  await save('results', 'compare.json', `${JSON.stringify(document, null, 2)}\n`);
  for (const { name, file, svg } of drawn) await save(name, file, figureFile(svg));
  const data = runs[0].experiment.data.name;
  await save(
    'report',
    'compare.html',
    compareHtml({
      title: runs.length === 1 ? labels[0] : `${runs.length} runs compared`,
      subtitle: `${data}, ${countsOf(count, measurements)}, seed ${seed}`,
      table,
      notes: [...notes(measurements), ...failures],
      figures: drawn,
    }),
  );
  output.result(
    `${formatTable([table.head, ...table.rows])}\n\nOpen ${files['report']}`,
    Object.assign(document, { files }),
  );
}

/** Opens a run and measures it. */
async function measure(
  context: CommandContext,
  { path, experiment, data, source }: ComparedRun,
  options: RunOptions,
  request: MeasureRequest,
): Promise<{ measurement: Measurement; environment: Record<string, unknown> }> {
  const { run, assembled: flow, step } = await openLoaded(context, source, options);
  await using assembled = { ...flow, data };
  if (step < experiment.training.steps)
    request.output.warn(
      `${oneLine(path)} is at step ${formatNumber(step)} of ${formatNumber(experiment.training.steps)}: its training is not finished.`,
    );
  return {
    measurement: await measureRun({ run, assembled, step }, request),
    environment: environmentOf(assembled.backend),
  };
}

/** A run's data, read before any measurement, so that a bad run is reported immediately. @throws RunError, CheckpointError, ExperimentError. */
async function dataOf(context: CommandContext, path: string, options: RunOptions): Promise<ComparedRun> {
  const solver = { path: ['solver'], value: comparedSolver, label: 'the solver of a comparison' };
  const source = await loadRun(context, path, [solver], options);
  const { run, loaded } = source;
  if ((await run.checkpoints.steps()).length === 0) throw noCheckpoint(run);
  return { path, source, experiment: loaded.experiment, data: await dataOfRun(context, run, loaded, options) };
}

/** The names of the experiments; if two are equal, those of their directories; if these are equal too, their paths. */
function labelsOf(runs: readonly DataOfRun[]): readonly string[] {
  const choices = [
    runs.map(({ experiment }) => experiment.name),
    runs.map(({ path }) => basename(path)),
    runs.map(({ path }) => path),
  ];
  return choices.find((labels) => new Set(labels).size === labels.length) ?? choices[2];
}

interface NamedFigure extends Figure {
  readonly name: string;
  readonly file: string;
}

function figures(measurements: readonly Measurement[], { points }: { readonly points: HostArray }): NamedFigure[] {
  const costs: NamedFigure = {
    name: 'samplingCost',
    file: 'sampling-cost.svg',
    title: 'Cost of sampling',
    caption: `Distance of samples to a solution with 1000 evaluations from the same noise (root mean square, in the data's unit) against evaluations of the field, and evaluations that dopri5 takes for a tolerance.`,
    svg: costFigure(measurements),
  };
  if (points.shape.length !== 2) return [costs];
  const data = domainOf(planePoints(points));
  return [
    costs,
    {
      name: 'trajectories',
      file: 'trajectories.svg',
      title: 'Trajectories',
      caption: 'From the same noise (orange) to samples (blue). What lies beyond the axes is cut off.',
      svg: trajectoriesFigure(measurements, trajectoryDomain(measurements, data)),
    },
    {
      name: 'fewEvaluations',
      file: 'few-evaluations.svg',
      title: 'Samples of few evaluations',
      caption: 'From the same noise. What lies beyond the axes is cut off.',
      svg: fewEvaluationsFigure(measurements, data),
    },
  ];
}

/** The data and the noise of all runs, without runs whose noise is so wide that the data would look small. */
function trajectoryDomain(measurements: readonly Measurement[], data: Domain): Domain {
  const extent = ({ x }: Domain): number => x[1] - x[0];
  return measurements
    .flatMap(({ trajectories }) => (trajectories ? [domainOf(planePoints(trajectories.trajectory))] : []))
    .filter((domain) => extent(domain) <= 1.5 * extent(data))
    .reduce(unionOf, data);
}

/** The number of points behind the results. */
function countsOf(count: number, [first]: readonly Measurement[]): string {
  const samples = `${formatNumber(count)} samples`;
  return first?.heldOutCount === undefined
    ? samples
    : `${samples}, ${formatNumber(first.heldOutCount)} held-out points`;
}

function notes(measurements: readonly Measurement[]): string[] {
  const some = (has: (measurement: Measurement) => unknown): boolean => measurements.some(has);
  return [
    `Samples and likelihoods by ${comparedSolver.name} at tolerance 10⁻⁵; NFE are its evaluations of the field for a sample.`,
    ...(some(({ entropy, nll }) => entropy !== undefined && nll)
      ? [
          `The entropy of the data is ${measurements[0].entropy!.toFixed(4)} nats: no model's NLL can be below it but by chance.`,
        ]
      : []),
    ...wassersteinNote(measurements),
    ...measurements.flatMap(({ label, failures }) => failures.map((failure) => `${label} – ${failure}`)),
  ];
}

function wassersteinNote(measurements: readonly Measurement[]): string[] {
  const distance = measurements.find(({ wasserstein2 }) => wasserstein2)?.wasserstein2;
  if (!distance) return [];
  const floor = distance.details?.['floor'];
  const apart = floor === undefined ? '' : `; two samples of the data are ${floor.toFixed(3)} apart`;
  return [`W₂ is between ${formatNumber(distance.count)} samples and as many held-out points${apart}.`];
}
