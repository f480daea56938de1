import type { ScaledScore } from '../contracts/solver.ts';
import type { Path } from '../contracts/path.ts';
import { type Tensor, equal, where } from '@flow-matching/tensor';
import { pathCoefficients } from './pathCoefficients.ts';

/**
 * The score of the marginal p_t from its velocity. With x_t = a·x1 + σ·noise each is an affine function of the other: σ²·∇log
 * p_t(x) = σ·(a·u − a′·x)/(a′σ − aσ′). If a = 0, p_t is N(0, σ²), and the quotient is 0/0 if a′ vanishes too (tⁿ at t = 0 for n
 * ≥ 2): the score is then −x/σ². If σ = 0, σ²·∇log p_t is 0, and the quotient is 0/0 if σ′ vanishes too.
 *
 * @param t times [batch]
 * @param x points [batch, ...event]
 * @param velocity u_t(x) [batch, ...event]
 */
export function marginalScore(path: Path, t: Tensor, x: Tensor, velocity: Tensor): ScaledScore {
  const { scale, std, scaleRate, stdRate } = pathCoefficients(path, t, x);
  const exchange = scaleRate.mul(std).sub(scale.mul(stdRate));
  const [isNoise, isData] = [equal(scale, 0), equal(std, 0)];
  // Quotients first: near t = 0 both may be so small that the reciprocal of the rate overflows.
  const between = scale.div(exchange).mul(velocity).sub(scaleRate.div(exchange).mul(x)).mul(std);
  return {
    scaled: where(isNoise, x.neg(), where(isData, 0, between)),
    std,
    rate: where(isData, 0, exchange.div(std)),
  };
}
