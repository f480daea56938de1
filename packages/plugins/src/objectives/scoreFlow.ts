import { defineObjective, pathCoefficients, requireProportionalMean, type Objective } from '@flow-matching/core';
import { meanSquare } from './meanSquare.ts';
import { scoreField } from './scoreField.ts';
import { signalToNoiseRate } from './signalToNoiseRate.ts';

/**
 * ScoreFlow (Song, Durkan, Murray & Ermon 2021): denoising score matching with the likelihood weight g², where g² = σ²·d/dt
 * log(a²/σ²) is the squared diffusion of the path's stochastic differential equation (β on the variance-preserving path). The
 * weight grows towards the data; the time sampler `importance` removes the resulting variance.
 */
export const scoreFlow = defineObjective({
  name: 'score-flow',
  summary: 'Denoising score matching with the likelihood weight of ScoreFlow',
  create: (): Objective => ({
    ...scoreField,
    name: 'score-flow',
    validate: (path, shape) => requireProportionalMean(path, "objective 'score-flow'", shape),
    loss(score, { path, t, x, noise }) {
      const coefficients = pathCoefficients(path, t, x);
      const weight = signalToNoiseRate(coefficients).sqrt();
      return meanSquare(coefficients.std.mul(score).add(noise).mul(weight));
    },
  }),
});
