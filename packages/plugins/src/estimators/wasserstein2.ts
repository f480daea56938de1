import { defineEstimator, type EstimateRequest, type Estimator } from '@flow-matching/core';
import { finishOnClock, type HostArray } from '@flow-matching/tensor';
import * as z from 'zod';
import { drawSamples, heldOut } from './drawSamples.ts';
import { rootWithError } from './statistics.ts';
import { transportCost } from './transportCost.ts';

/**
 * The 2-Wasserstein distance between samples and as many held-out points, by exact transport. It is that of the two samples and
 * larger than that of the distributions, so compare distances only at equal counts. `floor` in the details is the distance
 * between two samples of the data itself. The second of these samples is further held-out points or, if there are not twice as
 * many, training points; if there are too few of both, the details have no floor. Up to 4096 points the costs are kept in
 * memory; time grows roughly as the square of the count.
 *
 * @throws SolverError if a solve does not reach its end.
 */
export const wasserstein2 = defineEstimator({
  name: 'wasserstein-2',
  summary: '2-Wasserstein distance of samples to held-out points, exact',
  options: z.strictObject({
    floor: z
      .boolean()
      .default(true)
      .describe('Also measure the distance between two samples of the data, for comparison'),
  }),
  create: ({ floor }): Estimator => ({
    name: 'wasserstein-2',
    async estimate(request) {
      const { samples } = await drawSamples(request);
      const { x1 } = await heldOut(request);
      const { signal } = request;
      const { squared, standardError } = await finishOnClock(transportCost(samples, x1), signal);
      const again = floor ? await furtherPoints(request) : undefined;
      const apart = again && (await finishOnClock(transportCost(again, x1), signal));
      return {
        ...rootWithError(squared, standardError),
        count: request.count,
        unit: "data's unit",
        details: { squared, ...(apart && { floor: Math.sqrt(Math.max(0, apart.squared)) }) },
      };
    },
  }),
});

/** As many further points as are held out for the estimate, without repetition. */
async function furtherPoints(request: EstimateRequest): Promise<HostArray | undefined> {
  const { data, count, seed } = request;
  const { testSize = Infinity, size = Infinity } = data;
  if (2 * count <= testSize) return (await heldOut(request, 1)).x1;
  return count <= size ? (await data.batch({ index: 0, size: count, seed, split: 'train' })).x1 : undefined;
}
