import { defineEstimator, type Estimator } from '@flow-matching/core';
import { finishOnClock, type HostArray } from '@flow-matching/tensor';
import * as z from 'zod';
import { atLeastTwo } from './atLeastTwo.ts';
import { drawSamples, heldOut } from './drawSamples.ts';
import { pairedStatistic } from './pairedStatistic.ts';

/** Bandwidths relative to the median distance of the data points. */
const multiples = [0.25, 0.5, 1, 2, 4];
/** Number of points for the median. */
const looked = 500;

/**
 * The squared maximum mean discrepancy between samples and held-out points (Gretton et al. 2012, "A kernel two-sample test",
 * equation 3), unbiased, so it may be negative by chance. The kernel is the mean of exp(−‖x − y‖²/2s²) over bandwidths s.
 *
 * @throws SolverError if a solve does not reach its end.
 */
export const maximumMeanDiscrepancy = defineEstimator({
  name: 'mmd',
  summary: 'Squared maximum mean discrepancy with Gaussian kernels, unbiased',
  options: z.strictObject({
    bandwidths: z
      .array(z.float32().positive())
      .min(1)
      .exactOptional()
      .describe(
        "Bandwidths of the kernels, in the data's unit; by default 1/4, 1/2, 1, 2 and 4 times the median distance between held-out points",
      ),
  }),
  create: ({ bandwidths }): Estimator => ({
    name: 'mmd',
    async estimate(request) {
      atLeastTwo('mmd', request.count);
      const { samples } = await drawSamples(request);
      const { x1 } = await heldOut(request);
      const chosen = bandwidths ?? multiples.map((multiple) => multiple * medianDistance(x1));
      const statistic = pairedStatistic(samples, x1, gaussianKernel(chosen));
      const { value, standardError } = await finishOnClock(statistic, request.signal);
      return { value: -value, standardError, count: request.count, unit: 'squared kernel norm' };
    },
  }),
});

export function gaussianKernel(bandwidths: readonly number[]): (squaredDistance: number) => number {
  const rates = Float64Array.from(bandwidths, (s) => -1 / (2 * s ** 2));
  return (squaredDistance) => {
    let sum = 0;
    for (let k = 0; k < rates.length; k++) sum += Math.exp(rates[k] * squaredDistance);
    return sum / rates.length;
  };
}

/** 1 if all points are equal: there is no scale then. */
function medianDistance({ data, shape }: HostArray): number {
  const dimension = data.length / shape[0];
  const count = Math.min(shape[0], looked);
  const distances: number[] = [];
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      let square = 0;
      for (let d = 0; d < dimension; d++) square += (data[i * dimension + d] - data[j * dimension + d]) ** 2;
      distances.push(Math.sqrt(square));
    }
  }
  const sorted = Float64Array.from(distances).toSorted();
  return sorted[Math.floor(sorted.length / 2)] || 1;
}
