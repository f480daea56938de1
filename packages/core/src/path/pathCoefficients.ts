import type { Path } from '../contracts/path.ts';
import { PathError } from '../errors.ts';
import { type Tensor, onesLike, sizeOf, type Shape } from '@flow-matching/tensor';
import { evaluatePath, type PathValues } from './evaluatePath.ts';
import { pathMoments, timeAgainst } from './pathFormulas.ts';

/** The two coefficients of a one-sided path N(scale·x1, std²) and their time derivatives. */
export interface PathCoefficients {
  readonly scale: Tensor;
  readonly std: Tensor;
  readonly scaleRate: Tensor;
  readonly stdRate: Tensor;
}

/**
 * The coefficients of a path whose mean is proportional to the data point, each shaped to broadcast against x. {@link
 * requireProportionalMean} checks that it is.
 *
 * @param t times [batch]
 * @param x points [batch, ...event]
 */
export function pathCoefficients(path: Path, t: Tensor, x: Tensor): PathCoefficients {
  const { mean, meanRate, std, stdRate } = pathMoments(path, timeAgainst(t, x), { x1: onesLike(x) });
  return { scale: mean, std, scaleRate: meanRate, stdRate };
}

/** The same on the host, at times [rows], for points of `shape`: each [rows, ...shape], row-major. */
export function hostPathCoefficients(
  path: Path,
  times: readonly number[],
  shape: Shape,
): Readonly<Record<keyof PathCoefficients, Float64Array>> {
  const { mean, meanRate, std, stdRate } = valuesAt(path, times, shape, () => 1);
  return { scale: mean, std, scaleRate: meanRate, stdRate };
}

function valuesAt(path: Path, times: readonly number[], shape: Shape, coordinate: (i: number) => number): PathValues {
  const size = sizeOf(shape);
  const data = Float64Array.from({ length: times.length * size }, (_, i) => coordinate(i % size));
  return evaluatePath(path, { t: times, x1: { data, shape: [times.length, ...shape], dtype: 'f32' } });
}

/** A coordinate of the test point: neither 0 nor 1, and of both signs. */
const point = (i: number): number => 1.5 * Math.cos(1 + 2 * i);

/**
 * Refuses a path whose mean is not scale(t)·x1, coordinate by coordinate.
 *
 * @param shape of a data point
 * @throws PathError naming the path and `owner`, which needs it
 */
export function requireProportionalMean(path: Path, owner: string, shape: Shape): void {
  if (path.sides === 'two') {
    throw new PathError(
      `The ${owner} cannot be used with the path '${path.name}', which runs between pairs of points.`,
      {
        actual: path.name,
        expected: 'a one-sided path, from Gaussian noise to data',
        remedy: 'Use conditional-flow-matching, which runs on every path.',
      },
    );
  }
  const { start, end } = path.interval;
  const times = [0, 0.25, 0.5, 0.75, 1].map((share) => start * (1 - share) + end * share);
  const { scale } = hostPathCoefficients(path, times, shape);
  const { mean } = valuesAt(path, times, shape, point);
  const size = sizeOf(shape);
  const at = mean.findIndex(
    (value, i) => Math.abs(value - scale[i] * point(i % size)) > 1e-9 * Math.max(1, Math.abs(value)),
  );
  if (at < 0) return;
  throw new PathError(
    `The ${owner} cannot be used with the path '${path.name}', whose mean is not proportional to the data point.`,
    {
      actual: { t: times[Math.floor(at / size)], x1: point(at % size), mean: mean[at] },
      expected: 'a mean scale(t)·x1',
      remedy: 'Use conditional-flow-matching, which runs on every path.',
    },
  );
}
