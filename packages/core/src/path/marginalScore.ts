import type { ScaledScore } from '../contracts/solver.ts';
import type { Path } from '../contracts/path.ts';
import type { Tensor } from '../graph/tensor.ts';
import { pathCoefficients } from './pathCoefficients.ts';

/**
 * The score of the marginal p_t from its velocity. With x_t = a·x1 + σ·noise the two are affine in one another:
 * σ²·∇log p_t(x) = σ·(a·u − a′·x)/(a′σ − aσ′), which stays finite where a or σ vanishes.
 *
 * @param t times [batch]
 * @param x points [batch, ...event]
 * @param velocity u_t(x) [batch, ...event]
 */
export function marginalScore(path: Path, t: Tensor, x: Tensor, velocity: Tensor): ScaledScore {
  const { scale, std, scaleRate, stdRate } = pathCoefficients(path, t, x);
  const exchange = scaleRate.mul(std).sub(scale.mul(stdRate));
  return {
    scaled: scale.mul(velocity).sub(scaleRate.mul(x)).mul(std.div(exchange)),
    std,
    rate: exchange.div(std),
  };
}
