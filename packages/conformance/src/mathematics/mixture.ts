import type { HostRandomStream } from '@flow-matching/tensor';
import { mixtureDensity, type GaussianMixtureOptions } from '@flow-matching/plugins';
import type { ClosedForm } from './closedForms.ts';

/** The Gaussian data of the suite, N(mean, 0.4² I) in two dimensions. */
export const gaussianData: GaussianMixtureOptions = { weights: [1], means: [[1.5, -0.5]], stds: [0.4] };

/** The mixture data of the suite: three overlapping components of different widths. */
export const mixtureData: GaussianMixtureOptions = {
  weights: [0.5, 0.3, 0.2],
  means: [
    [1, 0.5],
    [-1, 1],
    [0.2, -1.4],
  ],
  stds: [0.5, 0.3, 0.8],
};

/** p_t of mixture data, which is a mixture with means a·m_k and variances a²s_k² + σ². */
export const mixtureAt = (
  { weights, means, stds }: GaussianMixtureOptions,
  { scale, std }: Pick<ClosedForm, 'scale' | 'std'>,
): GaussianMixtureOptions => ({
  weights,
  means: means.map((mean) => mean.map((m) => scale * m)),
  stds: stds.map((s) => Math.hypot(scale * s, std)),
});

/** Density, score and field of a marginal at one point. */
export interface MarginalValues {
  readonly logDensity: number;
  readonly score: readonly number[];
  readonly field: readonly number[];
}

/** p_t, ∇ log p_t and u_t of mixture data at a point, in f64: averages over the posterior of components. */
export function mixtureValues(data: GaussianMixtureOptions, form: ClosedForm, x: readonly number[]): MarginalValues {
  const { scale, std, scaleRate, stdRate } = form;
  const marginal = mixtureAt(data, form);
  const dimension = x.length;
  const total = data.weights.reduce((sum, weight) => sum + weight, 0);
  const joints = marginal.means.map((mean, k) => {
    const square = mean.reduce((sum, m, d) => sum + (x[d] - m) ** 2, 0);
    const s = marginal.stds[k];
    return Math.log(data.weights[k] / total) - square / (2 * s * s) - dimension * Math.log(s * Math.sqrt(2 * Math.PI));
  });
  const largest = Math.max(...joints);
  const weights = joints.map((joint) => Math.exp(joint - largest));
  const sum = weights.reduce((a, b) => a + b, 0);
  const average = (of: (k: number, d: number) => number): number[] =>
    x.map((_, d) => weights.reduce((mean, weight, k) => mean + (weight / sum) * of(k, d), 0));
  /** (x − a·m)/(a²s² + σ²), the deviation in units of the variance. */
  const deviation = (k: number, d: number): number => (x[d] - marginal.means[k][d]) / marginal.stds[k] ** 2;
  return {
    logDensity: largest + Math.log(sum),
    score: average((k, d) => -deviation(k, d)),
    // a′·E[x1 | x, k] + σ′·E[noise | x, k], linear regressions on x.
    field: average(
      (k, d) =>
        scaleRate * (data.means[k][d] + scale * data.stds[k] ** 2 * deviation(k, d)) + stdRate * std * deviation(k, d),
    ),
  };
}

/** Means, variances and covariance of two-dimensional mixture data. */
export function mixtureMoments({ weights, means, stds }: GaussianMixtureOptions): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const average = (of: (k: number) => number): number =>
    weights.reduce((sum, weight, k) => sum + (weight / total) * of(k), 0);
  const mean = [0, 1].map((d) => average((k) => means[k][d]));
  const covariance = (i: number, j: number): number =>
    average((k) => (means[k][i] - mean[i]) * (means[k][j] - mean[j]) + (i === j ? stds[k] ** 2 : 0));
  return [...mean, covariance(0, 0), covariance(1, 1), covariance(0, 1)];
}

/** log density of a mixture at rows, on the host in f64. */
export const mixtureLogDensity = (data: GaussianMixtureOptions, rows: ArrayLike<number>, dimension = 2): Float64Array =>
  Float64Array.from(
    mixtureDensity(data).logDensity({
      data: Float64Array.from(rows),
      shape: [rows.length / dimension, dimension],
      dtype: 'f64',
    }),
  );

/** Points of two-dimensional mixture data, [count, 2] row-major. */
export function drawMixture({ weights, means, stds }: GaussianMixtureOptions, random: HostRandomStream, count: number) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const choice = random.uniform([count], 0, total).data;
  const noise = random.normal([count, 2]).data;
  return Float64Array.from(noise, (epsilon, i) => {
    let [k, rest] = [0, choice[Math.floor(i / 2)]];
    while (k < weights.length - 1 && rest >= weights[k]) rest -= weights[k++];
    return means[k][i % 2] + stds[k] * epsilon;
  });
}
