import { defineEstimator, type Estimator } from '@flow-matching/core';
import * as z from 'zod';
import { drawSamples } from './drawSamples.ts';
import { mean, meanWithError } from './statistics.ts';
import { largestPoints, trajectoryEnergy } from './trajectoryEnergy.ts';

/**
 * Straightness of trajectories, E∫‖(x₁ − x₀) − v‖² dt (Liu, Gong & Liu 2023, "Flow straight and fast", section 2.2): 0 for
 * straight lines at constant speed. Since v integrates to x₁ − x₀, it is the energy minus ‖x₁ − x₀‖². `relative` in the details
 * is relative to the mean of ‖x₁ − x₀‖².
 *
 * @throws SolverError if a solve does not reach its end.
 */
export const straightness = defineEstimator({
  name: 'straightness',
  summary: 'Mean squared deviation of velocities from straight lines',
  options: z.strictObject({
    points: z.int().min(3).max(largestPoints).default(101).describe('Points per trajectory'),
  }),
  create: ({ points }): Estimator => ({
    name: 'straightness',
    async estimate(request) {
      const { energy, displacement } = trajectoryEnergy(await drawSamples(request, { trajectory: points }));
      const length = request.flow.path.interval.end - request.flow.path.interval.start;
      const deviation = energy.map((each, n) => each - displacement[n] / length);
      return {
        ...meanWithError(deviation),
        count: request.count,
        unit: "data's unit squared",
        details: { relative: mean(deviation) / mean(displacement), energy: mean(energy) },
      };
    },
  }),
});
