import { scaleLinear, scaleLog } from 'd3-scale';
import { schemeTableau10 } from 'd3-scale-chromatic';
import { decades } from '../report/decades.ts';
import { extentOf } from '../report/extentOf.ts';
import { axes, escapeText, figure, round, type Frame, type Scale, type Tick } from '../report/svg.ts';
import type { Measurement } from './measureRun.ts';
import { fixedSolvers, pictured, type CostPoint } from './samplingCost.ts';

const [columns, width, height] = [3, 960, 270];
const panel = { left: 58, top: 34, right: 14, bottom: 46 };
const legendStep = 34;

type Point = readonly [x: number, y: number];
/** One list of points per run. */
type Lines = readonly (readonly Point[])[];

interface Chart {
  readonly title: string;
  readonly lines: Lines;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly x: (range: readonly [number, number]) => Scale;
  readonly y: (range: readonly [number, number]) => Scale;
  readonly xTicks: readonly Tick[];
  readonly yTicks: readonly Tick[];
}

/** Error against evaluations of the field for each solver with fixed steps, evaluations against tolerance, and the legend: one line per run. */
export function costFigure(measurements: readonly Measurement[]): string {
  const charts = [...errorCharts(measurements), toleranceChart(measurements), ...supportChart(measurements)];
  const rows = Math.ceil((charts.length + 1) / columns);
  const placed = charts.map((chart, i) => drawChart(chart, frameAt(i)));
  const legendFrame = frameAt(charts.length);
  const legendBottom = legendFrame.top + legendStep * measurements.length;
  const whole: Frame = { ...legendFrame, width, height: Math.max(rows * height, legendBottom) };
  return figure(whole, 'Cost of sampling', [...placed, legend(measurements, legendFrame)].join(''));
}

const colorOf = (run: number): string => schemeTableau10[run % schemeTableau10.length];

/** Runs beyond the palette's length are dashed. */
const dashOf = (run: number): string => (run < schemeTableau10.length ? '' : ';stroke-dasharray:5 3');

function frameAt(index: number): Frame {
  const [column, row] = [index % columns, Math.floor(index / columns)];
  const [x, y] = [(column * width) / columns, row * height];
  return {
    left: x + panel.left,
    top: y + panel.top,
    width: x + width / columns,
    right: panel.right,
    height: y + height,
    bottom: panel.bottom,
  };
}

const isDrawable = ([x, y]: Point): boolean => [x, y].every((value) => value > 0 && Number.isFinite(value));

const lines = (measurements: readonly Measurement[], pick: (measurement: Measurement) => readonly Point[]): Lines =>
  measurements.map((measurement) => pick(measurement).filter(isDrawable));

const fixedPoints = ({ cost }: Measurement, solver: string): CostPoint[] =>
  (cost?.fixed ?? []).filter((point) => point.solver === solver);

const evaluationsLabel = 'field evaluations (NFE)';

/** The same axes for all solvers, so that heights can be compared. */
function errorCharts(measurements: readonly Measurement[]): Chart[] {
  const ofSolver = Object.keys(fixedSolvers).map((solver) => ({
    title: `${solver}: error`,
    lines: lines(measurements, (measurement) =>
      fixedPoints(measurement, solver).map(({ functionEvaluations, error }) => [functionEvaluations, error]),
    ),
  }));
  const all = ofSolver.flatMap((chart) => chart.lines.flat());
  const [least, most] = rangeOf(all.map(([, error]) => error));
  const low = 10 ** Math.floor(Math.log10(least));
  const high = 10 ** Math.ceil(Math.log10(most));
  return ofSolver.map((chart) => ({
    ...chart,
    ...evaluationAxis(all),
    yLabel: 'RMS distance to fine solution',
    y: (range) => scaleLog([low, high], [...range]),
    yTicks: decades(low, high),
  }));
}

function evaluationAxis(points: readonly Point[]): Pick<Chart, 'xLabel' | 'x' | 'xTicks'> {
  const [least, most] = rangeOf(points.map(([evaluations]) => evaluations));
  return {
    xLabel: evaluationsLabel,
    x: (range) => scaleLog([least / 1.15, most * 1.15], [...range]),
    xTicks: ticksWithin([4, 10, 20, 40, 100], least, most),
  };
}

function toleranceChart(measurements: readonly Measurement[]): Chart {
  const drawn = lines(measurements, ({ cost }) =>
    (cost?.adaptive ?? []).map(({ tolerance, functionEvaluations }) => [tolerance!, functionEvaluations]),
  );
  const [tightest, loosest] = rangeOf(drawn.flat().map(([tolerance]) => tolerance));
  const [least, most] = rangeOf(drawn.flat().map(([, evaluations]) => evaluations));
  return {
    title: 'dopri5: evaluations for a tolerance',
    lines: drawn,
    xLabel: 'tolerance (rtol = atol)',
    yLabel: 'NFE',
    x: (range) => scaleLog([loosest * 1.5, tightest / 1.5], [...range]),
    y: (range) => scaleLog([least / 1.2, most * 1.2], [...range]),
    xTicks: decades(tightest, loosest),
    yTicks: ticksWithin(
      [5, 10, 15, 20, 30, 40, 60, 80, 100, 150, 200, 300, 400, 600, 800, 1000, 2000, 5000, 10_000],
      least / 1.2,
      most * 1.2,
    ),
  };
}

/** Sample quality, if the support of the data is known. */
function supportChart(measurements: readonly Measurement[]): Chart[] {
  const drawn = lines(measurements, (measurement) =>
    fixedPoints(measurement, pictured.solver).flatMap(({ functionEvaluations, inSupport }): Point[] =>
      inSupport === undefined ? [] : [[functionEvaluations, 100 * inSupport]],
    ),
  );
  const all = drawn.flat();
  if (all.length === 0) return [];
  return [
    {
      title: `${pictured.solver}: samples in the support`,
      lines: drawn,
      ...evaluationAxis(all),
      yLabel: 'share of samples, %',
      y: (range) => scaleLinear([0, 100], [...range]),
      yTicks: [0, 25, 50, 75, 100].map((value) => ({ value, text: String(value) })),
    },
  ];
}

function drawChart({ title, lines: drawn, xLabel, yLabel, xTicks, yTicks, ...scales }: Chart, frame: Frame): string {
  const [left, right] = [frame.left, frame.width - frame.right];
  const [top, bottom] = [frame.top, frame.height - frame.bottom];
  const x = scales.x([left, right]);
  const y = scales.y([bottom, top]);
  const marks = drawn.map((points, run) => {
    const places = points.map(([a, b]) => `${round(x(a))} ${round(y(b))}`);
    if (places.length === 0) return '';
    const color = `stroke:${colorOf(run)}`;
    return `<path class="line" style="${color}${dashOf(run)}" d="M${places.join('L')}"/><path class="end-dot" style="${color};stroke-width:6" d="${places.map((place) => `M${place}h0`).join('')}"/>`;
  });
  return [
    `<text class="strong" x="${round(left)}" y="${round(top - 14)}">${escapeText(title)}</text>`,
    axes(frame, x, y, { grid: true, yLabel, xTicks, yTicks }),
    `<text class="middle" x="${round((left + right) / 2)}" y="${round(bottom + 36)}">${escapeText(xLabel)}</text>`,
    ...marks,
  ].join('');
}

function legend(measurements: readonly Measurement[], { left, top }: Frame): string {
  const entries = measurements.map(({ label, path, objective }, run) => {
    const y = top + 10 + legendStep * run;
    const x = left - 50;
    const color = `stroke:${colorOf(run)}`;
    return `<path class="line" style="${color}${dashOf(run)}" d="M${round(x)} ${round(y)}h26"/><path class="end-dot" style="${color};stroke-width:6" d="M${round(x + 13)} ${round(y)}h0"/><text class="strong" x="${round(x + 36)}" y="${round(y)}" dy=".1em">${escapeText(label)}</text><text style="font-size:11px" x="${round(x + 36)}" y="${round(y + 14)}">${escapeText(`${path}, ${objective}`)}</text>`;
  });
  return entries.join('');
}

/** Smallest and largest value; for an empty list, a range that axes can be drawn for. */
const rangeOf = (values: readonly number[]): [least: number, most: number] => extentOf(values) ?? [1, 10];

const ticksWithin = (values: readonly number[], least: number, most: number): Tick[] =>
  values.filter((value) => value >= least && value <= most).map((value) => ({ value, text: String(value) }));
