import type { KnownDensity } from '@flow-matching/core';
import { checkMixture, type GaussianMixtureOptions } from './gaussianMixture.ts';
import { hostLogSumExp } from './hostLogSumExp.ts';

/**
 * The density of an isotropic Gaussian mixture, on the host in f64. The entropy is known for a single Gaussian only.
 *
 * @throws OptionError if the lists do not match.
 */
export function mixtureDensity({ weights, means, stds }: GaussianMixtureOptions): KnownDensity {
  checkMixture(weights, means, stds);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const dimension = means[0].length;
  const scales = stds.map(
    (std, k) => Math.log(weights[k] / total) - dimension * Math.log(std * Math.sqrt(2 * Math.PI)),
  );
  return {
    ...(means.length === 1 && { entropy: (dimension / 2) * (1 + Math.log(2 * Math.PI * stds[0] ** 2)) }),
    logDensity: ({ data, shape: [count] }) =>
      Float64Array.from({ length: count }, (_, n) => {
        const terms = means.map((mean, k) => {
          const square = mean.reduce((sum, centre, d) => sum + (data[n * dimension + d] - centre) ** 2, 0);
          return scales[k] - square / (2 * stds[k] ** 2);
        });
        return hostLogSumExp(terms);
      }),
  };
}
