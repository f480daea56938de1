import { oneLine } from '@flow-matching/tensor';
import { SolverError, type Dataset, type Estimate, type Samples, type Solver } from '@flow-matching/core';
import { writeAtomically } from '../disk/writeAtomically.ts';
import type { AssembledExperiment } from '../experiment/assembleExperiment.ts';
import { drawSamples } from '../run/drawSamples.ts';
import { environmentOf } from '../run/environment.ts';
import { readMetrics, type Metrics } from '../run/metricsLog.ts';
import type { RunDirectory } from '../run/runDirectory.ts';
import { formatNumber, formatTable } from '../terminal/formatTable.ts';
import type { Output } from '../terminal/output.ts';
import { formatSeconds } from '../terminal/progress.ts';
import { countWithin, domainOf, planePoints, unionOf, type Domain } from './domain.ts';
import { lossCurve } from './lossCurve.ts';
import { gridPoints, heatMapFigure, scatterFigure, trajectoryFigure } from './planeFigures.ts';
import { reportHtml, type Figure, type Headline } from './reportHtml.ts';
import { scatterPicture } from './scatterPicture.ts';
import { scoreRun, type Scores } from './scoreRun.ts';

export interface ReportRequest {
  readonly output: Output;
  readonly assembled: AssembledExperiment;
  readonly run: RunDirectory;
  readonly step: number;
  readonly signal: AbortSignal;
}

/** Samples and scores a trained flow, and writes samples.png, results.json and report.html to its run directory. */
export async function reportRun({ output, assembled, run, step, signal }: ReportRequest): Promise<void> {
  const { experiment, backend, data } = assembled;
  const scores = await scoreRun(assembled, output, signal);
  if (scores.nllFailure !== undefined) {
    output.failed = true;
    output.warn(`The likelihood could not be computed: ${scores.nllFailure}`);
  }
  const metrics = await readMetrics(run.metricsFile, (text) => output.warn(text));
  const trainingSeconds = metrics.at(-1)?.seconds ?? 0;
  const flat = data.shape.length === 1;
  if (flat) {
    warnOfEmptyPicture(scores, output);
    await writeAtomically(run.samplesFile, [
      scatterPicture([
        { title: 'data', points: scores.data },
        { title: 'samples', points: scores.samples },
      ]),
    ]);
  }
  const results = resultsOf(scores, { run: run.path, step, trainingSeconds });
  await writeAtomically(run.resultsFile, [`${JSON.stringify(results, null, 2)}\n`]);
  const html = reportHtml({
    title: experiment.name,
    subtitle: `${formatNumber(step)} steps in ${formatSeconds(trainingSeconds)} on ${backend.name} (${backend.device})`,
    headlines: headlines(scores, trainingSeconds),
    loss: metrics.length > 1 ? lossCurve(metrics) : undefined,
    figures: flat ? await planeFigures(assembled, scores, output, signal) : [],
    tables: [
      { title: 'Metrics', rows: flatRows(results) },
      { title: 'Last training report', rows: lastReport(metrics) },
      { title: 'Settings', rows: flatRows(experiment) },
      { title: 'Environment', rows: flatRows(environmentOf(backend)) },
    ],
  });
  await writeAtomically(run.reportFile, [html]);
  const report = flat ? { report: run.reportFile, samples: run.samplesFile } : { report: run.reportFile };
  output.result(`${summary(scores, trainingSeconds)}\n\nOpen ${oneLine(run.reportFile)}`, { ...results, ...report });
}

function resultsOf(
  scores: Scores,
  run: { run: string; step: number; trainingSeconds: number },
): Record<string, unknown> {
  const { nll, nllFailure, entropy, inSupport, functionEvaluations, samplingSeconds, scoringSeconds } = scores;
  return {
    ...run,
    count: scores.samples.shape[0],
    ...(nll && { nll: nll.value, nllStandardError: nll.standardError, nllCount: nll.count }),
    ...(nllFailure !== undefined && { nllFailure }),
    ...(entropy !== undefined && { entropy }),
    ...(nll && entropy !== undefined && { nllAboveEntropy: nll.value - entropy }),
    ...(nll?.details?.['functionEvaluations'] !== undefined && {
      nllFunctionEvaluations: nll.details['functionEvaluations'],
    }),
    ...(nll?.solver !== undefined && { nllSolver: nll.solver }),
    ...(inSupport && { inSupport: inSupport.value }),
    functionEvaluations,
    samplingSeconds,
    ...(scoringSeconds !== undefined && { scoringSeconds }),
  };
}

/** Why there is no likelihood. */
const noLikelihood = ({ nllFailure, heldOut }: Scores): string =>
  nllFailure !== undefined
    ? `could not be computed: ${nllFailure}`
    : heldOut
      ? 'the path has no prior density'
      : 'no points are held out: set data.heldOut';

function headlines(scores: Scores, trainingSeconds: number): Headline[] {
  const { nll, entropy, inSupport, functionEvaluations, samplingSeconds, samples } = scores;
  const drawn = formatNumber(samples.shape[0]);
  const error = nll?.standardError === undefined ? '' : ` ± ${nll.standardError.toFixed(3)}`;
  return [
    ...(nll
      ? [
          {
            label: 'NLL',
            value: nll.value.toFixed(3),
            note: `nats${error}, ${formatNumber(nll.count)} held-out points${bySolver(nll)}`,
          },
        ]
      : [{ label: 'NLL', value: '–', note: noLikelihood(scores) }]),
    ...(nll && entropy !== undefined
      ? [
          {
            label: 'NLL − entropy',
            value: (nll.value - entropy).toFixed(3),
            note: `nats above the best possible, ${entropy.toFixed(4)}`,
          },
        ]
      : []),
    ...(inSupport
      ? [
          {
            label: 'Samples in support',
            value: `${(100 * inSupport.value).toFixed(1)} %`,
            note: `of ${drawn}`,
          },
        ]
      : []),
    {
      label: 'Function evaluations',
      value: String(functionEvaluations),
      note: `to sample; ${drawn} in ${samplingSeconds.toFixed(1)} s`,
    },
    { label: 'Training', value: formatSeconds(trainingSeconds) },
  ];
}

/** Names the solver of a likelihood if it is not the experiment's. */
const bySolver = ({ solver }: Estimate): string => (solver === undefined ? '' : `, by ${solver}`);

/** The scores as a few aligned lines. */
function summary(scores: Scores, trainingSeconds: number): string {
  const { nll, entropy, inSupport, functionEvaluations, samplingSeconds, scoringSeconds, samples } = scores;
  const drawn = formatNumber(samples.shape[0]);
  return formatTable([
    ...(nll
      ? [
          [
            'NLL',
            `${nll.value.toFixed(4)} nats`,
            `± ${nll.standardError?.toFixed(4)}, ${formatNumber(nll.count)} held-out points${bySolver(nll)}, ${formatSeconds(scoringSeconds ?? 0)}`,
          ],
        ]
      : [['NLL', '–', noLikelihood(scores)]]),
    ...(nll && entropy !== undefined
      ? [['NLL − entropy', `${(nll.value - entropy).toFixed(4)} nats`, `the entropy is ${entropy.toFixed(4)}`]]
      : []),
    ...(inSupport ? [['in support', `${(100 * inSupport.value).toFixed(1)} %`, `of ${drawn} samples`]] : []),
    ['NFE', String(functionEvaluations), `${drawn} samples in ${formatSeconds(samplingSeconds)}`],
    ['training', formatSeconds(trainingSeconds), ''],
  ]);
}

/** Cells along a side of the density map. */
const mapSize = 64;
/** A picture with a range of 8 nats in 256 colours shows no finer errors; dopri5 at 1e-5 takes several times as long. */
const mapSolver = { name: 'midpoint', steps: 16 } as const;

/** The part of the plane shown for samples and data. */
const dataDomain = ({ data }: Scores): Domain => domainOf(planePoints(data));

/** Warns that the picture is empty if the flow is far from its data. */
function warnOfEmptyPicture(scores: Scores, output: Output): void {
  const { samples } = scores;
  const [within, count] = [countWithin(planePoints(samples), dataDomain(scores)), samples.shape[0]];
  if (2 * within >= count) return;
  output.warn(
    `${formatNumber(within)} of ${formatNumber(count)} samples lie within the axes of the picture, which are the data's: the flow is far from its data.`,
  );
}

async function planeFigures(
  { flow, data, experiment, registry }: AssembledExperiment,
  scores: Scores,
  output: Output,
  signal: AbortSignal,
): Promise<Figure[]> {
  const domain = dataDomain(scores);
  const axesNote = data.shape[0] > 2 ? ` First two of ${data.shape[0]} coordinates.` : '';
  const figures: Figure[] = [
    {
      title: 'Data',
      caption: `${describePoints(scores, data)}.${axesNote}`,
      svg: scatterFigure('Data', scores.data, domain),
    },
    {
      title: 'Samples',
      caption: `${describeSamples(scores, domain)}.${axesNote}`,
      svg: scatterFigure('Samples', scores.samples, domain),
    },
  ];
  const particles = scores.samples.shape[0] < 200 ? scores.samples.shape[0] : 200;
  const trajectories = await drawSamples({ flow, data }, particles, { seed: experiment.seed, trajectory: 33, signal });
  figures.push({
    title: 'Particle trajectories',
    caption: `${particles} particles from noise (orange) to samples (blue).`,
    svg: trajectoryFigure(trajectories, trajectoryDomain(trajectories, domain)),
  });
  if (data.shape[0] === 2 && flow.path.sides === 'one' && flow.context.condition === undefined) {
    const map = await densityMap(flow, registry.build('solver', mapSolver), domain, output, signal);
    if (map)
      figures.push({
        title: 'Log-likelihood',
        caption: `log p₁ over the plane, nats, in ${mapSolver.steps} steps of the midpoint rule; what lies 8 nats or more below the top is darkest.`,
        svg: map,
      });
  }
  return figures;
}

/** The number of points shown, and the total. */
function describePoints({ data: { shape }, heldOut }: Scores, { size, testSize }: Dataset): string {
  const [shown, available] = [shape[0], heldOut ? testSize : size];
  const kind = heldOut
    ? available === undefined
      ? 'points that training has not seen'
      : 'held-out points'
    : 'training points';
  if (available === undefined) return `${formatNumber(shown)} ${kind}`;
  return shown === available
    ? `${formatNumber(shown)} ${kind}, all of them`
    : `${formatNumber(shown)} of ${formatNumber(available)} ${kind}`;
}

function describeSamples({ samples }: Scores, domain: Domain): string {
  const [within, count] = [countWithin(planePoints(samples), domain), samples.shape[0]];
  return within === count
    ? `${formatNumber(count)} samples of the trained flow`
    : `${formatNumber(count)} samples of the trained flow, of which ${formatNumber(within)} lie within the axes`;
}

/** Noise may start outside the region of the data. */
const trajectoryDomain = ({ trajectory }: Samples, data: Domain): Domain =>
  unionOf(domainOf(planePoints(trajectory!)), data);

/** Undefined if the field cannot be integrated far from the data: the report is written without this figure. */
async function densityMap(
  flow: AssembledExperiment['flow'],
  solver: Solver,
  domain: Domain,
  output: Output,
  signal: AbortSignal,
): Promise<string | undefined> {
  const progress = output.progress('density map', mapSize ** 2);
  try {
    const { logLikelihood } = await flow.logLikelihood(gridPoints(domain, mapSize), {
      divergence: 'exact',
      solver,
      signal,
      onProgress: (done) => progress.update(done),
    });
    return heatMapFigure(logLikelihood, mapSize, domain);
  } catch (error) {
    if (!(error instanceof SolverError)) throw error;
    output.warn(`The report has no map of the density: ${error.message}`);
    return undefined;
  } finally {
    output.endProgress();
  }
}

function lastReport(metrics: readonly Metrics[]): [string, string][] {
  const last = metrics.at(-1);
  return last ? flatRows(last) : [];
}

/** Nested values as rows with dotted names; a plugin is shown by its name. */
function flatRows(value: object, prefix = ''): [string, string][] {
  return Object.entries(value).flatMap(([key, part]): [string, string][] => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return [[prefix + key, shown(part)]];
    const { name, ...options } = part as { name?: unknown };
    const rows = flatRows(options, `${prefix}${key}.`);
    if (name !== undefined) rows.unshift([prefix + key, shown(name)]);
    return rows;
  });
}

function shown(value: unknown): string {
  if (typeof value === 'number') return formatNumber(value);
  if (Array.isArray(value)) return value.join(', ') || 'none';
  return String(value);
}
