import { defineEstimator, type Estimate, type Estimator, type KnownDensity } from '@flow-matching/core';
import { DataError, type HostArray } from '@flow-matching/tensor';
import * as z from 'zod';
import { drawSamples, heldOut } from './drawSamples.ts';

/**
 * Fraction of samples in the support of the data: where its density is positive or, for densities that are positive everywhere,
 * in the smallest region that contains the fraction `coverage` of held-out points.
 *
 * @throws DataError if the density is unknown; SolverError if a solve does not reach its end.
 */
export const inSupport = defineEstimator({
  name: 'in-support',
  summary: "Share of samples where the data's density is positive",
  options: z.strictObject({
    coverage: z
      .float32()
      .gt(0)
      .max(1)
      .default(1)
      .describe('Probability that the counted region holds; 1 counts wherever the density is positive'),
  }),
  create: ({ coverage }): Estimator => ({
    name: 'in-support',
    async estimate(request) {
      const { data, count } = request;
      const { density } = data;
      if (!density) {
        throw new DataError(`The density of the data '${data.name}' is not known.`, {
          actual: data.name,
          expected: 'a dataset with a density, such as checkerboard',
        });
      }
      const { samples } = await drawSamples(request);
      const ofData = coverage < 1 ? density.logDensity((await heldOut(request)).x1).toSorted() : undefined;
      const least = ofData ? ofData[Math.floor((1 - coverage) * count)] : -Number.MAX_VALUE;
      return {
        ...supportShare(density, samples, least),
        ...(ofData && { details: { leastLogDensity: least } }),
      };
    },
  }),
});

/** Fraction of samples [count, ...event] whose log-density is at least `least`, with its standard error. */
export function supportShare(
  density: KnownDensity,
  samples: HostArray,
  least: number = -Number.MAX_VALUE,
): Estimate & { readonly standardError: number } {
  const logs = density.logDensity(samples);
  const value = logs.filter((log) => log >= least).length / logs.length;
  return {
    value,
    standardError: Math.sqrt((value * (1 - value)) / logs.length),
    count: logs.length,
    unit: 'share of samples',
  };
}
