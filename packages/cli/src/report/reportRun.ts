import { SolverError, type Samples } from '@flow-matching/core';
import { writeAtomically } from '../disk/writeAtomically.ts';
import type { AssembledExperiment } from '../experiment/assembleExperiment.ts';
import { drawSamples } from '../run/drawSamples.ts';
import { environmentOf } from '../run/environment.ts';
import { readMetrics, type Metrics } from '../run/metricsLog.ts';
import type { RunDirectory } from '../run/runDirectory.ts';
import { formatNumber, formatTable } from '../terminal/formatTable.ts';
import type { Output } from '../terminal/output.ts';
import { formatSeconds } from '../terminal/progress.ts';
import { domainOf, planePoints, unionOf, type Domain } from './domain.ts';
import { lossCurve } from './lossCurve.ts';
import { gridPoints, heatMapFigure, scatterFigure, trajectoryFigure } from './planeFigures.ts';
import { reportHtml, type Figure, type Headline } from './reportHtml.ts';
import { scatterPicture } from './scatterPicture.ts';
import { scoredCount, scoreRun, type Scores } from './scoreRun.ts';

export interface ReportRequest {
  readonly output: Output;
  readonly assembled: AssembledExperiment;
  readonly run: RunDirectory;
  readonly step: number;
  readonly signal: AbortSignal;
}

/** Samples and scores a trained flow, and leaves samples.png, results.json and report.html in its run directory. */
export async function reportRun({ output, assembled, run, step, signal }: ReportRequest): Promise<void> {
  const { experiment, backend, data } = assembled;
  const scores = await scoreRun(assembled, output, signal);
  const metrics = await readMetrics(run.metricsFile);
  const trainingSeconds = metrics.at(-1)?.seconds ?? 0;
  const flat = data.shape.length === 1;
  if (flat) {
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
  output.result(`${summary(scores, trainingSeconds)}\n\nOpen ${run.reportFile}`, { ...results, ...report });
}

function resultsOf(
  scores: Scores,
  run: { run: string; step: number; trainingSeconds: number },
): Record<string, unknown> {
  const { nll, entropy, inSupport, functionEvaluations, samplingSeconds, scoringSeconds } = scores;
  return {
    ...run,
    count: scoredCount,
    ...(nll && { nll: nll.value, nllStandardError: nll.standardError }),
    ...(entropy !== undefined && { entropy }),
    ...(nll && entropy !== undefined && { nllAboveEntropy: nll.value - entropy }),
    ...(nll?.details?.['functionEvaluations'] !== undefined && {
      nllFunctionEvaluations: nll.details['functionEvaluations'],
    }),
    ...(inSupport && { inSupport: inSupport.value }),
    functionEvaluations,
    samplingSeconds,
    ...(scoringSeconds !== undefined && { scoringSeconds }),
  };
}

function headlines(
  { nll, entropy, inSupport, functionEvaluations, samplingSeconds, heldOut }: Scores,
  trainingSeconds: number,
): Headline[] {
  const error = nll?.standardError === undefined ? '' : ` ± ${nll.standardError.toFixed(3)}`;
  return [
    ...(nll
      ? [
          {
            label: 'NLL',
            value: nll.value.toFixed(3),
            note: `nats${error}, ${formatNumber(nll.count)} held-out points`,
          },
        ]
      : [{ label: 'NLL', value: '–', note: heldOut ? 'the path has no prior density' : 'no points are held out' }]),
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
            note: `of ${formatNumber(scoredCount)}`,
          },
        ]
      : []),
    {
      label: 'Function evaluations',
      value: String(functionEvaluations),
      note: `to sample; ${formatNumber(scoredCount)} in ${samplingSeconds.toFixed(1)} s`,
    },
    { label: 'Training', value: formatSeconds(trainingSeconds) },
  ];
}

/** The scores as a few aligned lines. */
function summary(
  { nll, entropy, inSupport, functionEvaluations, samplingSeconds, scoringSeconds, heldOut }: Scores,
  trainingSeconds: number,
): string {
  return formatTable([
    ...(nll
      ? [
          [
            'NLL',
            `${nll.value.toFixed(4)} nats`,
            `± ${nll.standardError?.toFixed(4)}, ${formatNumber(nll.count)} held-out points, ${formatSeconds(scoringSeconds ?? 0)}`,
          ],
        ]
      : [['NLL', '–', heldOut ? 'the path has no prior density' : 'no points are held out: set data.heldOut']]),
    ...(nll && entropy !== undefined
      ? [['NLL − entropy', `${(nll.value - entropy).toFixed(4)} nats`, `the entropy is ${entropy.toFixed(4)}`]]
      : []),
    ...(inSupport
      ? [['in support', `${(100 * inSupport.value).toFixed(1)} %`, `of ${formatNumber(scoredCount)} samples`]]
      : []),
    ['NFE', String(functionEvaluations), `${formatNumber(scoredCount)} samples in ${formatSeconds(samplingSeconds)}`],
    ['training', formatSeconds(trainingSeconds), ''],
  ]);
}

/** Cells along a side of the heat map. */
const heatSize = 96;

async function planeFigures(
  { flow, data, experiment }: AssembledExperiment,
  scores: Scores,
  output: Output,
  signal: AbortSignal,
): Promise<Figure[]> {
  const domain = domainOf(planePoints(scores.data));
  const axesNote = data.shape[0] > 2 ? ` First two of ${data.shape[0]} coordinates.` : '';
  const figures: Figure[] = [
    {
      title: 'Data',
      caption: `${formatNumber(scoredCount)} points${scores.heldOut ? ' that training has not seen' : ''}.${axesNote}`,
      svg: scatterFigure('Data', scores.data, domain),
    },
    {
      title: 'Samples',
      caption: `${formatNumber(scoredCount)} samples of the trained flow.${axesNote}`,
      svg: scatterFigure('Samples', scores.samples, domain),
    },
  ];
  const trajectories = await drawSamples({ flow, data }, 200, { seed: experiment.seed, trajectory: 33, signal });
  figures.push({
    title: 'Particle trajectories',
    caption: '200 particles from noise (orange) to samples (blue).',
    svg: trajectoryFigure(trajectories, trajectoryDomain(trajectories, domain)),
  });
  if (data.shape[0] === 2 && flow.path.sides === 'one' && flow.context.condition === undefined) {
    const heat = await heatMap(flow, domain, output, signal);
    if (heat)
      figures.push({
        title: 'Log-likelihood',
        caption: 'log p₁ over the plane, nats; what lies 8 nats or more below the top is darkest.',
        svg: heat,
      });
  }
  return figures;
}

/** Noise may begin outside of where the data lies. */
const trajectoryDomain = ({ trajectory }: Samples, data: Domain): Domain =>
  unionOf(domainOf(planePoints(trajectory!)), data);

/** Absent where the field is too wild far from the data to be integrated: a report is worth more than one of its figures. */
async function heatMap(
  flow: AssembledExperiment['flow'],
  domain: Domain,
  output: Output,
  signal: AbortSignal,
): Promise<string | undefined> {
  const progress = output.progress('map', heatSize ** 2);
  try {
    const { logLikelihood } = await flow.logLikelihood(gridPoints(domain, heatSize), {
      divergence: 'exact',
      signal,
      onProgress: (done) => progress.update(done),
    });
    return heatMapFigure(logLikelihood, heatSize, domain);
  } catch (error) {
    if (!(error instanceof SolverError)) throw error;
    output.warn(`The report has no likelihood map: ${error.message}`);
    return undefined;
  } finally {
    output.endProgress();
  }
}

function lastReport(metrics: readonly Metrics[]): [string, string][] {
  const last = metrics.at(-1);
  return last ? flatRows(last) : [];
}

/** Nested values as rows of dotted names; a plugin's name stands for the plugin. */
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
