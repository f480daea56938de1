import { defineObjective, pathCoefficients, requireProportionalMean, type Objective } from '@flow-matching/core';
import { meanSquare } from './meanSquare.ts';
import { whereScaleIsTrusted } from './trustedInterval.ts';

/**
 * Noise matching (DDPM, Ho et al. 2020): the model predicts the noise ε in x = a·x1 + σ·ε, with unit weight at all times.
 *
 * The field is a′·x̂1 + σ′·ε̂ with x̂1 = (x − σ·ε̂)/a. Where a vanishes, at the noise end, the field is held constant: see
 * `interval`.
 */
export const noiseMatching = defineObjective({
  name: 'noise-matching',
  summary: 'DDPM: the model predicts the noise; unit weight at all times',
  create: (): Objective => ({
    name: 'noise-matching',
    validate: (path, shape) => requireProportionalMean(path, "objective 'noise-matching'", shape),
    interval: whereScaleIsTrusted,
    loss: (prediction, { noise }) => meanSquare(prediction.sub(noise)),
    field(noise, { path, t, x }) {
      const { scale, std, scaleRate, stdRate } = pathCoefficients(path, t, x);
      const data = x.sub(std.mul(noise)).div(scale);
      return scaleRate.mul(data).add(stdRate.mul(noise));
    },
  }),
});
