import { defineObjective, type Objective } from '@flow-matching/core';
import { meanSquare } from './meanSquare.ts';

/**
 * Conditional flow matching (Lipman et al. 2023, equation 14): the model is the vector field, and its loss the squared error to
 * the conditional flow's velocity, averaged over the dimensions of a point.
 */
export const conditionalFlowMatching = defineObjective({
  name: 'conditional-flow-matching',
  summary: 'Mean squared error to the velocity of the conditional flow',
  create: (): Objective => ({
    name: 'conditional-flow-matching',
    loss: (prediction, { velocity }) => meanSquare(prediction.sub(velocity)),
    field: (prediction) => prediction,
  }),
});
