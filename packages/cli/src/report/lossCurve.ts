import { scaleLinear } from 'd3-scale';
import type { Metrics } from '../run/metricsLog.ts';
import { axes, figure, round, type Frame } from './svg.ts';

const frame: Frame = { width: 960, height: 300, left: 56, top: 12, right: 16, bottom: 40 };

/** The loss over the steps: as reported, and its running mean. */
export function lossCurve(metrics: readonly Metrics[]): string {
  const x = scaleLinear([0, metrics.at(-1)?.step ?? 1], [frame.left, frame.width - frame.right]);
  // The first reports tower over the rest, which is what one wants to see.
  const steady = metrics.slice(Math.ceil(metrics.length / 50)).map(({ loss }) => loss);
  const shown = steady.length > 0 ? steady : metrics.map(({ loss }) => loss);
  const y = scaleLinear([Math.min(...shown), Math.max(...shown)], [frame.height - frame.bottom, frame.top])
    .nice()
    .clamp(true);
  const line = (values: readonly number[]): string =>
    metrics.map(({ step }, i) => `${i === 0 ? 'M' : 'L'}${round(x(step))} ${round(y(values[i]))}`).join('');
  const losses = metrics.map(({ loss }) => loss);
  return figure(
    frame,
    'Loss over the training steps',
    `${axes(frame, x, y, { grid: true, xLabel: 'step', yLabel: 'loss' })}<path class="faint line" d="${line(losses)}"/><path class="line" d="${line(smoothed(losses))}"/>`,
  );
}

/** Means over a window of a twentieth of the curve. */
function smoothed(values: readonly number[]): number[] {
  const half = Math.floor(values.length / 40);
  return values.map((_, i) => {
    const part = values.slice(Math.max(0, i - half), i + half + 1);
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}
