import { defineEstimator, type Estimator } from '@flow-matching/core';
import { finishOnClock } from '@flow-matching/tensor';
import * as z from 'zod';
import { drawSamples, heldOut } from './drawSamples.ts';
import { mean, variance } from './statistics.ts';
import { largestPoints, trajectoryEnergy, trajectoryStarts } from './trajectoryEnergy.ts';
import { transportCost } from './transportCost.ts';

/**
 * Normalized path energy |E∫‖v‖² dt − W₂²|/W₂², with W₂ the distance between the source points and as many held-out data points
 * (Tong et al. 2024, section 5.1): 0 if the flow transports optimally. Energies come from the trajectories' points, see
 * trajectoryEnergy. The details contain the signed excess, which is negative for a flow that misses parts of the data.
 *
 * @throws SolverError if a solve does not reach its end.
 */
export const normalizedPathEnergy = defineEstimator({
  name: 'normalized-path-energy',
  summary: 'Excess energy of trajectories over optimal transport, relative',
  options: z.strictObject({
    points: z
      .int()
      .min(2)
      .max(largestPoints)
      .default(101)
      .describe('Points per trajectory; for a fixed-step solver one more than its steps'),
  }),
  create: ({ points }): Estimator => ({
    name: 'normalized-path-energy',
    async estimate(request) {
      const { count } = request;
      const drawn = await drawSamples(request, { trajectory: points });
      const { x1 } = await heldOut(request);
      const { energy } = trajectoryEnergy(drawn);
      const transport = transportCost(trajectoryStarts({ trajectory: drawn.trajectory! }), x1);
      const { squared, from, to } = await finishOnClock(transport, request.signal);
      const average = mean(energy);
      const excess = average / squared - 1;
      // Delta method: the contribution of each source point and each data point to the ratio.
      const ofSources = Float64Array.from(energy, (each, n) => each / squared - (average / squared ** 2) * from[n]);
      const ofData = Float64Array.from(to, (each) => (average / squared ** 2) * each);
      return {
        value: Math.abs(excess),
        standardError: Math.sqrt((variance(ofSources) + variance(ofData)) / count),
        count,
        unit: 'relative energy',
        details: { excess, energy: average, squaredDistance: squared },
      };
    },
  }),
});
