import { scaleLinear, scaleLog } from 'd3-scale';
import type { Metrics } from '../run/metricsLog.ts';
import { decades } from './decades.ts';
import { extentOf } from './extentOf.ts';
import { lossBuckets, type LossBucket } from './lossBuckets.ts';
import { axes, figure, leftMargin, round, ticksOf, type Frame, type Scale, type Tick } from './svg.ts';

const size = { width: 960, height: 300, top: 12, right: 16, bottom: 40 };
const yLabel = 'loss';
/** Points along a curve: two pixels each. */
const resolution = 450;
/** Losses that span more than this factor are shown on a logarithmic axis. */
const wide = 20;

/** The loss over the steps, as reported and as a running mean. Every finite loss lies within the axes. */
export function lossCurve(metrics: readonly Metrics[]): string {
  const buckets = lossBuckets(metrics, resolution);
  const [least, most] = extentOf(buckets.flatMap((bucket) => [bucket.least, bucket.most])) ?? [0, 1];
  const { y, yTicks } = lossAxis(least, most, [size.height - size.bottom, size.top]);
  const frame: Frame = { ...size, left: leftMargin(yTicks, yLabel) };
  const x = scaleLinear([0, metrics.at(-1)?.step ?? 1], [frame.left, frame.width - frame.right]);
  const reported = buckets.flatMap(({ step, least: low, most: high }): Point[] =>
    low === high
      ? [[step, low]]
      : [
          [step, low],
          [step, high],
        ],
  );
  const mean = smoothed(buckets);
  return figure(
    frame,
    'Loss over the training steps',
    `${axes(frame, x, y, { grid: true, xLabel: 'step', yLabel, yTicks })}<path class="faint line" d="${line(reported, x, y)}"/><path class="line" d="${line(mean, x, y)}"/>`,
  );
}

function lossAxis(least: number, most: number, range: [number, number]): { y: Scale; yTicks: readonly Tick[] } {
  if (least > 0 && most > wide * least) {
    const y = scaleLog([least, most], range).nice();
    const [low, high] = y.domain();
    return { y, yTicks: decades(low, high) };
  }
  const y = scaleLinear([least, most === least ? least + 1 : most], range).nice();
  return { y, yTicks: ticksOf(y, 5) };
}

type Point = readonly [step: number, loss: number];

/** A line through the points, interrupted where a loss is not finite. */
function line(points: readonly Point[], x: Scale, y: Scale): string {
  let pen = 'M';
  return points
    .map(([step, loss]) => {
      const command = Number.isFinite(loss) ? `${pen}${round(x(step))} ${round(y(loss))}` : '';
      pen = command ? 'L' : 'M';
      return command;
    })
    .join('');
}

/** Means over a window of a twentieth of the curve, which narrows towards the start: the curve begins with the first report. */
function smoothed(buckets: readonly LossBucket[]): Point[] {
  const half = Math.floor(buckets.length / 40);
  return buckets.map(({ step }, i) => {
    const reach = Math.min(half, i);
    const losses = buckets.slice(i - reach, i + reach + 1).flatMap(({ mean }) => (Number.isNaN(mean) ? [] : [mean]));
    return [step, losses.reduce((sum, value) => sum + value, 0) / losses.length];
  });
}
