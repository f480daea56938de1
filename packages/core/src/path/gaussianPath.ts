import type { Endpoints, Path, TimeInterval } from '../contracts/path.ts';
import type { Tensor } from '@flow-matching/tensor';
import { checkPath, type PathCheck } from './checkPath.ts';

export interface GaussianPathFormulas extends PathCheck {
  readonly name?: string;
  /** μ_t(x1): t [batch, 1, …], x1 [batch, ...event]. */
  readonly mean: (t: Tensor, x1: Tensor) => Tensor;
  /** σ_t: t [batch, 1, …]. With one value per dimension, its shape is [batch, ...event]. */
  readonly std: (t: Tensor) => Tensor;
  /** Standard deviation of the prior: one number, or one per coordinate of a point. Default 1. */
  readonly priorStd?: number | readonly number[];
  /** Usable times. Default [0, 1]. */
  readonly interval?: TimeInterval;
  /** u_t(x | x1) in closed form. */
  readonly field?: (t: Tensor, x: Tensor, x1: Tensor) => Tensor;
  /** Whether the formulas are checked, as {@link checkPath} does. Default true. */
  readonly check?: boolean;
}

/**
 * Makes a one-sided path from two formulas; flow, field, score and training targets follow from them.
 *
 * @throws PathError or NumericalError if the formulas do not define a path from the prior to the data.
 */
export function gaussianPath({
  name = 'custom',
  mean,
  std,
  priorStd = 1,
  interval = { start: 0, end: 1 },
  field,
  check = true,
  ...sampling
}: GaussianPathFormulas): Path {
  const path: Path = {
    name,
    sides: 'one',
    interval,
    priorStd,
    mean: (t, { x1 }: Endpoints) => mean(t, x1),
    std,
    ...(field && { field: (t: Tensor, x: Tensor, { x1 }: Endpoints) => field(t, x, x1) }),
  };
  if (check) checkPath(path, sampling);
  return path;
}
