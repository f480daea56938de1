import type { ButcherTableau } from '@flow-matching/core';
import { fixedStepMethod } from './rungeKuttaMethods.ts';

export const midpointTableau: ButcherTableau = { order: 2, nodes: [0, 1 / 2], stages: [[], [1 / 2]], weights: [0, 1] };

/** The explicit midpoint rule: two evaluations per step, order 2. Default 50 steps. */
export const midpoint = fixedStepMethod({
  name: 'midpoint',
  summary: 'Order 2, fixed steps, two evaluations each',
  tableau: midpointTableau,
  steps: 50,
});
