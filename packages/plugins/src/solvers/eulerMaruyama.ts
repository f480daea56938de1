import { controlAgainst, defineSolver, silenced, stochasticSteps } from '@flow-matching/core';
import * as z from 'zod';
import { completeSteps } from './completeSteps.ts';
import { stepsAndGrid, stochasticStepShape } from './stochasticStepOptions.ts';

/**
 * Euler–Maruyama on the stochastic differential equation with the flow's marginals (Song et al. 2021, section 3.3, for any
 * Gaussian path): dx = (u + κ·∇log p) dt + √(2κ) dW with κ = noise·σ·(a′σ − aσ′), a and σ the path's mean scale and standard
 * deviation. It vanishes with σ, so the drift stays finite at the data. The last step adds no noise.
 */
export const eulerMaruyama = defineSolver({
  name: 'euler-maruyama',
  summary: 'Stochastic sampling on the score form, fixed steps, one evaluation each',
  options: z.strictObject({
    ...stochasticStepShape,
    noise: z.float32().min(0).default(1).describe("Strength of the noise; 0 gives Euler's method"),
  }),
  complete: (options) => completeSteps(options, 200),
  create: ({ noise, ...options }) => {
    const { steps, grid } = stepsAndGrid(options);
    const method = {
      name: 'euler-maruyama',
      order: 1,
      evaluations: 1,
      settings: { noise },
      advance: ({ y, t, h, last, settings, random, velocity, score }) => {
        const drift = velocity(t, y);
        const scores = score(t, y, drift);
        return Object.fromEntries(
          Object.entries(y).map(([name, value]) => {
            const { scaled, std, rate } = scores[name];
            const step = controlAgainst(h, value);
            const strength = rate.mul(settings['noise']);
            const mean = value.add(drift[name].add(scaled.mul(strength)).mul(step));
            const spread = strength.mul(step).mul(2).sqrt().mul(std);
            return [name, mean.add(silenced(random.normal(value.shape).mul(spread), last))];
          }),
        );
      },
    } satisfies Parameters<typeof stochasticSteps>[0];
    return stochasticSteps(method, steps, grid);
  },
});
