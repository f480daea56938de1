import type { ButcherTableau } from '@flow-matching/core';
import { fixedStepMethod } from './rungeKuttaMethods.ts';

export const rk38Tableau: ButcherTableau = {
  order: 4,
  nodes: [0, 1 / 3, 2 / 3, 1],
  stages: [[], [1 / 3], [-1 / 3, 1], [1, -1, 1]],
  weights: [1 / 8, 3 / 8, 3 / 8, 1 / 8],
};

/** Kutta's 3/8 rule of order 4, which torchdiffeq calls rk4. Default 25 steps. */
export const rk38 = fixedStepMethod({
  name: 'rk4-3/8',
  summary: 'Order 4 (3/8 rule), fixed steps, four evaluations each',
  tableau: rk38Tableau,
  steps: 25,
});
