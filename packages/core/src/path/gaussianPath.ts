import type { Endpoints, Path, TimeInterval } from '../contracts/path.ts';
import type { Tensor } from '../graph/tensor.ts';

export interface GaussianPathFormulas {
  readonly name?: string;
  /** μ_t(x1): t [batch, 1, …], x1 [batch, ...event]. */
  readonly mean: (t: Tensor, x1: Tensor) => Tensor;
  /** σ_t: t [batch, 1, …]. */
  readonly std: (t: Tensor) => Tensor;
  /** Standard deviation of the prior. Default 1. */
  readonly priorStd?: number;
  /** Usable times. Default [0, 1]. */
  readonly interval?: TimeInterval;
  /** u_t(x | x1) in closed form. */
  readonly field?: (t: Tensor, x: Tensor, x1: Tensor) => Tensor;
}

/** A one-sided path from two formulas; flow, field, score and training targets follow from them. */
export function gaussianPath({ name = 'custom', mean, std, priorStd = 1, interval = { start: 0, end: 1 }, field }: GaussianPathFormulas): Path {
  return {
    name,
    sides: 'one',
    interval,
    priorStd,
    mean: (t, { x1 }: Endpoints) => mean(t, x1),
    std,
    ...(field && { field: (t: Tensor, x: Tensor, { x1 }: Endpoints) => field(t, x, x1) }),
  };
}
