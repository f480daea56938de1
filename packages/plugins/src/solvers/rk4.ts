import type { ButcherTableau } from '@flow-matching/core';
import { fixedStepMethod } from './rungeKuttaMethods.ts';

export const rk4Tableau: ButcherTableau = {
  order: 4,
  nodes: [0, 1 / 2, 1 / 2, 1],
  stages: [[], [1 / 2], [0, 1 / 2], [0, 0, 1]],
  weights: [1 / 6, 1 / 3, 1 / 3, 1 / 6],
};

/** Kutta's classic fourth-order method. Default 25 steps. */
export const rk4 = fixedStepMethod({
  name: 'rk4',
  summary: 'Order 4 (classic), fixed steps, four evaluations each',
  tableau: rk4Tableau,
  steps: 25,
});
