import { type Path } from '@flow-matching/core';
import { constant, log, logSumExp, OptionError, softmax, type Tensor } from '@flow-matching/tensor';
import { scaleAndStd, type MarginalDensity } from './marginalDensity.ts';

export interface GaussianMixtureOptions {
  /** Positive; normalized to sum 1. */
  readonly weights: readonly number[];
  /** One mean per component, [components, dimension]. */
  readonly means: readonly (readonly number[])[];
  /** One standard deviation per component. */
  readonly stds: readonly number[];
}

/**
 * Isotropic Gaussians Σ w_k N(m_k, s_k² I). Under a path N(a·x1, σ² I) each stays Gaussian, with mean a·m_k and variance a²s_k²
 * + σ², and every quantity of the marginal is an average over components.
 *
 * @throws OptionError if the lists do not match.
 */
export function gaussianMixture({ weights, means, stds }: GaussianMixtureOptions): MarginalDensity {
  checkMixture(weights, means, stds);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const dimension = means[0].length;
  const components = means.length;
  const mean = constant([means]);
  const spread = constant(stds, 'f32', [1, components, 1]);
  const logWeight = constant(
    weights.map((weight) => Math.log(weight / total)),
    'f32',
    [1, components, 1],
  );

  /** Common parts of all three quantities; the component axis is the second. */
  const parts = (path: Path, t: Tensor, x: Tensor) => {
    const { scale, std, scaleRate, stdRate } = scaleAndStd(path, t);
    const deviation = x.reshape([-1, 1, dimension]).sub(mean.mul(scale));
    const variance = scale.mul(spread).square().add(std.square());
    const logJoint = deviation
      .square()
      .sum(2, { keepdims: true })
      .div(variance)
      .add(log(variance.mul(2 * Math.PI)).mul(dimension))
      .mul(-0.5)
      .add(logWeight);
    const average = (perComponent: Tensor): Tensor => softmax(logJoint, 1).mul(perComponent).sum(1);
    return { scale, std, scaleRate, stdRate, deviation, variance, logJoint, average };
  };

  return {
    dimension,
    logDensity: (path, t, x) => logSumExp(parts(path, t, x).logJoint, [1, 2]),
    field(path, t, x) {
      const { scale, std, scaleRate, stdRate, deviation, variance, average } = parts(path, t, x);
      // σ′/σ·(x − a·E[x1]) + a′·E[x1] with the division by σ cancelled: half the variance's logarithmic rate.
      const rate = std.mul(stdRate).add(scale.mul(scaleRate).mul(spread.square()));
      return average(mean.mul(scaleRate).add(deviation.mul(rate.div(variance))));
    },
    score(path, t, x) {
      const { deviation, variance, average } = parts(path, t, x);
      return average(deviation.div(variance).neg());
    },
  };
}

function refuse(option: string, actual: unknown, expected: string): never {
  throw new OptionError(`The mixture's ${option} do not fit.`, { actual, expected });
}

/** @throws OptionError if the lists do not match. */
export function checkMixture(
  weights: readonly number[],
  means: readonly (readonly number[])[],
  stds: readonly number[],
): void {
  const count = means.length;
  if (count === 0 || means.some((mean) => mean.length === 0 || mean.length !== means[0].length))
    refuse('means', means, 'one row or more, all of one length');
  if (weights.length !== count || !weights.every((weight) => weight > 0))
    refuse('weights', weights, `${count} positive numbers`);
  if (stds.length !== count || !stds.every((std) => std > 0)) refuse('stds', stds, `${count} positive numbers`);
}
