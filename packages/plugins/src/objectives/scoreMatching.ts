import { defineObjective, pathCoefficients, requireProportionalMean, type Objective } from '@flow-matching/core';
import { meanSquare } from './meanSquare.ts';
import { scoreField } from './scoreField.ts';

/**
 * Denoising score matching with the weight σ² (Song & Ermon 2019; Song et al. 2021): the model predicts the score, and its loss
 * is σ²‖s − ∇ log p_t(x | x1)‖² = ‖σ·s + ε‖², which needs no division.
 */
export const scoreMatching = defineObjective({
  name: 'score-matching',
  summary: 'Denoising score matching, weight σ²: the model predicts the score',
  create: (): Objective => ({
    ...scoreField,
    name: 'score-matching',
    validate: (path, shape) => requireProportionalMean(path, "objective 'score-matching'", shape),
    loss: (score, { path, t, x, noise }) => meanSquare(pathCoefficients(path, t, x).std.mul(score).add(noise)),
  }),
});
