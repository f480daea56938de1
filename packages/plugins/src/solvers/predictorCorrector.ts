import {
  controlAgainst,
  defineSolver,
  silenced,
  stochasticSteps,
  type OdeState,
  type StochasticStep,
} from '@flow-matching/core';
import * as z from 'zod';
import { completeSteps } from './completeSteps.ts';
import { stepsAndGrid, stochasticStepShape } from './stochasticStepOptions.ts';

/** Each correction is one more evaluation of the model in the compiled step. */
const largestCorrections = 100;

/**
 * Predictor–corrector sampling (Song et al. 2021, algorithm 1): an Euler step along the flow, then Langevin steps at the new
 * time that correct the distribution of the samples, x ← x + r·σ²∇log p + √(2r)·σ·noise. The last step's corrections add no
 * noise.
 */
export const predictorCorrector = defineSolver({
  name: 'predictor-corrector',
  summary: 'Euler steps with Langevin corrections, fixed steps',
  options: z.strictObject({
    ...stochasticStepShape,
    corrections: z
      .int()
      .min(1)
      .max(largestCorrections)
      .default(1)
      .describe('Langevin steps after each step along the flow'),
    stepSize: z
      .float32()
      .positive()
      .max(0.5)
      .default(0.05)
      .describe('Size of a Langevin step in units of σ²; larger steps mix faster and are less accurate'),
  }),
  complete: (options) => completeSteps(options, 100),
  create: ({ corrections, stepSize, ...options }) => {
    const { steps, grid } = stepsAndGrid(options);
    return stochasticSteps(
      {
        name: 'predictor-corrector',
        order: 1,
        evaluations: 1 + corrections,
        settings: { stepSize },
        advance(step) {
          const { y, t, h, velocity } = step;
          const drift = velocity(t, y);
          let reached: OdeState = Object.fromEntries(
            Object.entries(y).map(([name, value]) => [name, value.add(drift[name].mul(controlAgainst(h, value)))]),
          );
          for (let i = 0; i < corrections; i++) reached = corrected(step, reached);
          return reached;
        },
      },
      steps,
      grid,
    );
  },
});

function corrected({ tNext, last, settings, random, velocity, score }: StochasticStep, y: OdeState): OdeState {
  const scores = score(tNext, y, velocity(tNext, y));
  const { stepSize } = settings;
  return Object.fromEntries(
    Object.entries(y).map(([name, value]) => {
      const { scaled, std } = scores[name];
      const noise = random.normal(value.shape).mul(std).mul(stepSize.mul(2).sqrt());
      return [name, value.add(scaled.mul(stepSize)).add(silenced(noise, last))];
    }),
  );
}
