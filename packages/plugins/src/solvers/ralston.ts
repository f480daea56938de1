import type { ButcherTableau } from '@flow-matching/core';
import { fixedStepMethod } from './rungeKuttaMethods.ts';

export const ralstonTableau: ButcherTableau = {
  order: 2,
  nodes: [0, 2 / 3],
  stages: [[], [2 / 3]],
  weights: [1 / 4, 3 / 4],
};

/** Ralston 1962, "Runge–Kutta methods with minimum error bounds": the second-order method. Default 50 steps. */
export const ralston = fixedStepMethod({
  name: 'ralston',
  summary: 'Order 2 of least error bound, fixed steps, two evaluations each',
  tableau: ralstonTableau,
  steps: 50,
});
