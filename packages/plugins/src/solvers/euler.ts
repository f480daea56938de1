import { defineSolver, explicitRungeKutta, type ButcherTableau } from '@flow-matching/core';
import { fixedStepOptions } from './fixedStepOptions.ts';

export const eulerTableau: ButcherTableau = { order: 1, nodes: [0], stages: [[]], weights: [1] };

/** Euler's method: one evaluation a step, order 1. */
export const euler = defineSolver({
  name: 'euler',
  summary: 'Order 1, fixed steps, one evaluation each',
  options: fixedStepOptions(100),
  create: (options) => explicitRungeKutta('euler', eulerTableau, options),
});
