import type { ButcherTableau } from '@flow-matching/core';
import { fixedStepMethod } from './rungeKuttaMethods.ts';

export const heun3Tableau: ButcherTableau = {
  order: 3,
  nodes: [0, 1 / 3, 2 / 3],
  stages: [[], [1 / 3], [0, 2 / 3]],
  weights: [1 / 4, 0, 3 / 4],
};

/** Heun's third-order method. Default 30 steps. */
export const heun3 = fixedStepMethod({
  name: 'heun3',
  summary: 'Order 3, fixed steps, three evaluations each',
  tableau: heun3Tableau,
  steps: 30,
});
