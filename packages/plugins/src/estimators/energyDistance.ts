import { defineEstimator, type Estimator } from '@flow-matching/core';
import { finishOnClock } from '@flow-matching/tensor';
import { atLeastTwo } from './atLeastTwo.ts';
import { drawSamples, heldOut } from './drawSamples.ts';
import { pairedStatistic } from './pairedStatistic.ts';

/**
 * The energy distance 2·E‖X − Y‖ − E‖X − X′‖ − E‖Y − Y′‖ between samples X and held-out points Y (Székely & Rizzo 2013, "Energy
 * statistics"), unbiased, so it may be negative by chance. It vanishes only for equal distributions.
 *
 * @throws SolverError if a solve does not reach its end.
 */
export const energyDistance = defineEstimator({
  name: 'energy-distance',
  summary: 'Energy distance of samples to held-out points, unbiased',
  create: (): Estimator => ({
    name: 'energy-distance',
    async estimate(request) {
      atLeastTwo('energy-distance', request.count);
      const { samples } = await drawSamples(request);
      const { x1 } = await heldOut(request);
      const distance = await finishOnClock(pairedStatistic(samples, x1, Math.sqrt), request.signal);
      return { ...distance, count: request.count, unit: "data's unit" };
    },
  }),
});
