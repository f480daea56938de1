import { unitRoundOff } from '../case/limit.ts';

/** The error of a fixed number of steps of size h. */
export interface StepError {
  readonly h: number;
  readonly error: number;
}

/** Below, errors of values of size one contain f32 round-off. */
export const roundOffFloor = 256 * unitRoundOff('f32');
/** Above, steps are too large for the leading error term to dominate. */
const largest = 0.05;
/** Number of points that a slope is fitted to, smallest steps first. */
const points = 4;

/**
 * The observed order: the slope of log error over log h, minus one, because a fixed number of steps of order p has an error of
 * O(h^(p + 1)). Undefined if fewer than three errors lie between round-off and the range of the leading term.
 */
export function orderSlope(errors: readonly StepError[]): number | undefined {
  const usable = errors
    .filter(({ error }) => error > roundOffFloor && error < largest)
    .toSorted((a, b) => a.h - b.h)
    .slice(0, points);
  if (usable.length < 3) return undefined;
  return logSlope(usable.map(({ h, error }) => [h, error] as const)) - 1;
}

/** The slope of log y over log x, by least squares. */
export function logSlope(points: readonly (readonly [x: number, y: number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const [meanX, meanY] = [0, 1].map((i) => logs.reduce((sum, log) => sum + log[i], 0) / logs.length);
  const covariance = logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return covariance / logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}
