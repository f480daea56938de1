import type { ButcherTableau } from '@flow-matching/core';
import { fixedStepMethod } from './rungeKuttaMethods.ts';

export const heun2Tableau: ButcherTableau = { order: 2, nodes: [0, 1], stages: [[], [1]], weights: [1 / 2, 1 / 2] };

/** Heun's second-order method, the explicit trapezoidal rule. Default 50 steps. */
export const heun2 = fixedStepMethod({
  name: 'heun2',
  summary: 'Order 2 (explicit trapezium), fixed steps, two evaluations each',
  tableau: heun2Tableau,
  steps: 50,
});
