import { defineCoupling, type Coupling } from '@flow-matching/core';
import * as z from 'zod';
import { entropicPlan } from '../transport/entropicPlan.ts';
import type { CostRows } from '../transport/costRows.ts';
import { nearestPermutation } from '../transport/nearestPermutation.ts';
import { squaredDistances } from '../transport/squaredDistances.ts';
import { planOptions } from './planOptions.ts';
import { refuseConditions } from './refuseConditions.ts';

/**
 * Entropic minibatch transport, rounded to the permutation that keeps most of the plan's mass. Deterministic: nothing is
 * sampled, so no point is dropped or duplicated.
 *
 * @throws NumericalError if the plan does not balance or a point is not finite; DataError for conditions, unless they are
 *   ignored.
 */
export const sinkhorn = defineCoupling({
  name: 'sinkhorn',
  summary: 'The permutation nearest to the entropic transport plan',
  options: z.strictObject({
    epsilon: z
      .number()
      .positive()
      .default(0.05)
      .describe("Weight of the entropy, as a fraction of the batch's mean squared distance"),
    ...planOptions,
  }),
  create: ({ epsilon, ignoreCondition, ...settings }): Coupling => ({
    name: 'sinkhorn',
    pair(request) {
      refuseConditions('sinkhorn', request, ignoreCondition);
      const costs = squaredDistances(request.x1, request.x0);
      const plan = entropicPlan(costs, { ...settings, epsilon: epsilon * (meanCost(costs) || 1) });
      return nearestPermutation(plan, costs);
    },
  }),
});

function meanCost({ size, row }: CostRows): number {
  let total = 0;
  for (let i = 0; i < size; i++) {
    const costs = row(i);
    for (let j = 0; j < size; j++) total += costs[j];
  }
  return total / size ** 2;
}
