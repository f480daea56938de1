import { defineSolver, explicitRungeKutta, type ButcherTableau } from '@flow-matching/core';
import { fixedStepOptions } from './fixedStepOptions.ts';

export const midpointTableau: ButcherTableau = { order: 2, nodes: [0, 1 / 2], stages: [[], [1 / 2]], weights: [0, 1] };

/** The explicit midpoint method: two evaluations a step, order 2. */
export const midpoint = defineSolver({
  name: 'midpoint',
  summary: 'Order 2, fixed steps, two evaluations each',
  options: fixedStepOptions(50),
  create: (options) => explicitRungeKutta('midpoint', midpointTableau, options),
});
