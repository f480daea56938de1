import { hostPathCoefficients, pathCoefficients, type Path } from '@flow-matching/core';
import { constant, type Tensor } from '@flow-matching/tensor';

/** N(means, std² I) in two dimensions: data for which everything is known in closed form. */
export const gaussian = { means: [1.5, -0.5], std: 0.4 } as const;

/** What is known of its marginal along a one-sided path, at times [rows] and points [rows, 2]. */
export interface GaussianMarginal {
  readonly field: Tensor;
  readonly score: Tensor;
  /** E[x1 | x]. */
  readonly data: Tensor;
  /** E[noise | x]. */
  readonly noise: Tensor;
}

/** All are linear regressions on x = a·x1 + σ·noise, whose variance is a²s² + σ². */
export function gaussianMarginal(path: Path, t: Tensor, x: Tensor): GaussianMarginal {
  const { scale, std, scaleRate, stdRate } = pathCoefficients(path, t, x);
  const mean = constant([gaussian.means]);
  const variance = scale.mul(gaussian.std).square().add(std.square());
  const deviation = x.sub(scale.mul(mean)).div(variance);
  const data = mean.add(scale.mul(gaussian.std ** 2).mul(deviation));
  const noise = std.mul(deviation);
  return { data, noise, score: deviation.neg(), field: scaleRate.mul(data).add(stdRate.mul(noise)) };
}

/** Coefficients of a path and the marginal's std, at times, for each of the two dimensions: [rows, 2] each. */
export function gaussianMoments(path: Path, times: readonly number[]) {
  const coefficients = hostPathCoefficients(path, times, [2]);
  const std = coefficients.scale.map((scale, i) => Math.hypot(scale * gaussian.std, coefficients.std[i]));
  return {
    ...coefficients,
    mean: coefficients.scale.map((scale, i) => scale * gaussian.means[i % 2]),
    marginalStd: std,
  };
}

/** Where the exact flow carries a point from the start of the path's interval to its end: an affine map. */
export function carried(path: Path, point: readonly number[]): number[] {
  const { start, end } = path.interval;
  const { mean, marginalStd } = gaussianMoments(path, [start, end]);
  return point.map((x, i) => mean[2 + i] + ((x - mean[i]) / marginalStd[i]) * marginalStd[2 + i]);
}
