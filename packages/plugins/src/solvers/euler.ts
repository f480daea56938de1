import type { ButcherTableau } from '@flow-matching/core';
import { fixedStepMethod } from './rungeKuttaMethods.ts';

export const eulerTableau: ButcherTableau = { order: 1, nodes: [0], stages: [[]], weights: [1] };

/** Euler's method: one evaluation per step, order 1. Default 100 steps. */
export const euler = fixedStepMethod({
  name: 'euler',
  summary: 'Order 1, fixed steps, one evaluation each',
  tableau: eulerTableau,
  steps: 100,
});
