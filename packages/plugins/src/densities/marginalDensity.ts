import { type Path } from '@flow-matching/core';
import { jvp, onesLike, type Tensor } from '@flow-matching/tensor';

/**
 * A data distribution whose marginals p_t = ∫ p_t(x | x1) q(x1) dx1 under one-sided Gaussian paths are known in closed form. The
 * path's mean must be a scalar multiple of the data point and its standard deviation a scalar; times are [batch], points
 * [batch, dimension].
 */
export interface MarginalDensity {
  /** Dimensions of a point. */
  readonly dimension: number;
  /** log p_t(x) in nats, [batch]. */
  logDensity(path: Path, t: Tensor, x: Tensor): Tensor;
  /** u_t(x) = E[u_t(x | x1) | x] (Lipman et al. 2023, equation 8), [batch, dimension]: it generates p_t. */
  field(path: Path, t: Tensor, x: Tensor): Tensor;
  /** ∇ₓ log p_t(x), [batch, dimension]. */
  score(path: Path, t: Tensor, x: Tensor): Tensor;
}

/** A path whose conditional is N(scale·x1, std² I): scale, std and their time derivatives, each [batch, 1, 1]. */
export function scaleAndStd(path: Path, t: Tensor): { scale: Tensor; std: Tensor; scaleRate: Tensor; stdRate: Tensor } {
  const time = t.reshape([-1, 1, 1]);
  const {
    outputs: [scale, std],
    tangents: [scaleRate, stdRate],
  } = jvp((at) => [path.mean(at, { x1: onesLike(at) }), path.std(at)], [time], [onesLike(time)]);
  return { scale, std, scaleRate, stdRate };
}
