import { jvp, type Tensor, onesLike, expand, reshape } from '@flow-matching/tensor';
import type { Endpoints, Path } from '../contracts/path.ts';

/** Times [batch] shaped to broadcast against data [batch, ...event]: [batch, 1, …]. */
export function timeAgainst(t: Tensor, x: Tensor): Tensor {
  return reshape(t, [t.size, ...x.shape.slice(1).map(() => 1)]);
}

/** mean, std and their time derivatives, by one forward-mode pass. t is [batch, 1, …]. */
export function pathMoments(
  path: Path,
  t: Tensor,
  z: Endpoints,
): { mean: Tensor; std: Tensor; meanRate: Tensor; stdRate: Tensor } {
  const {
    outputs: [mean, std],
    tangents: [meanRate, stdRate],
  } = jvp((time) => [path.mean(time, z), path.std(time)], [t], [onesLike(t)]);
  return { mean, std, meanRate, stdRate };
}

/**
 * The conditional flow at `noise` and its velocity: ψ_t(noise) = μ_t + σ_t·noise and d/dt ψ_t(noise) = μ′_t + σ′_t·noise (Lipman
 * et al. 2023, equations 11 and 14). Nothing is divided by σ, so the target is exact where σ vanishes.
 *
 * @param t times [batch]
 * @param noise standard normal [batch, ...event]
 */
export function conditionalFlow(path: Path, t: Tensor, z: Endpoints, noise: Tensor): { x: Tensor; velocity: Tensor } {
  const { mean, std, meanRate, stdRate } = pathMoments(path, timeAgainst(t, noise), z);
  return { x: mean.add(std.mul(noise)), velocity: expand(meanRate.add(stdRate.mul(noise)), noise.shape) };
}

/**
 * The field u_t(x | z) = (σ′/σ)(x − μ) + μ′ that generates the path (Theorem 3), or the path's own closed form.
 *
 * @param t times [batch]
 * @param x points [batch, ...event]
 */
export function conditionalField(path: Path, t: Tensor, x: Tensor, z: Endpoints): Tensor {
  const time = timeAgainst(t, x);
  return path.field ? path.field(time, x, z) : derivedField(path, t, x, z);
}

/** Theorem 3's field from mean and std alone, to check closed forms against. */
export function derivedField(path: Path, t: Tensor, x: Tensor, z: Endpoints): Tensor {
  const { mean, std, meanRate, stdRate } = pathMoments(path, timeAgainst(t, x), z);
  return stdRate.div(std).mul(x.sub(mean)).add(meanRate);
}

/** ∇ₓ log p_t(x | z) = −(x − μ)/σ². Shapes as for {@link conditionalField}. */
export function conditionalScore(path: Path, t: Tensor, x: Tensor, z: Endpoints): Tensor {
  const time = timeAgainst(t, x);
  const std = path.std(time);
  return path.mean(time, z).sub(x).div(std.mul(std));
}

/** log p_t(x | z) [batch]: the density of N(μ, σ² I) at x, nats. */
export function conditionalLogDensity(path: Path, t: Tensor, x: Tensor, z: Endpoints): Tensor {
  const time = timeAgainst(t, x);
  const std = expand(path.std(time), x.shape);
  const standardized = x.sub(path.mean(time, z)).div(std);
  const axes = x.shape.slice(1).map((_, i) => i + 1);
  return standardized
    .square()
    .mul(-0.5)
    .sub(std.log())
    .sub(0.5 * Math.log(2 * Math.PI))
    .sum(axes);
}
