import { defineObjective, pathCoefficients, requireProportionalMean, type Objective } from '@flow-matching/core';
import { meanSquare } from './meanSquare.ts';
import { whereStdIsTrusted } from './trustedInterval.ts';

/**
 * The model predicts the data point x1, with unit weight at all times.
 *
 * The field is a′·x̂1 + σ′·ε̂ with ε̂ = (x − a·x̂1)/σ. Where σ vanishes, at the data end, the field is held constant: see
 * `interval`.
 */
export const x1Prediction = defineObjective({
  name: 'x1-prediction',
  summary: 'The model predicts the data point; unit weight at all times',
  create: (): Objective => ({
    name: 'x1-prediction',
    validate: (path, shape) => requireProportionalMean(path, "objective 'x1-prediction'", shape),
    interval: whereStdIsTrusted,
    loss: (prediction, { z }) => meanSquare(prediction.sub(z.x1)),
    field(data, { path, t, x }) {
      const { scale, std, scaleRate, stdRate } = pathCoefficients(path, t, x);
      const noise = x.sub(scale.mul(data)).div(std);
      return scaleRate.mul(data).add(stdRate.mul(noise));
    },
  }),
});
