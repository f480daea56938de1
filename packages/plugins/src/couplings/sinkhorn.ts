import { defineCoupling } from '@flow-matching/core';
import type { Stepwise } from '@flow-matching/tensor';
import * as z from 'zod';
import { entropicPlan } from '../transport/entropicPlan.ts';
import type { CostRows } from '../transport/costRows.ts';
import { nearestPermutation } from '../transport/nearestPermutation.ts';
import { squaredDistances } from '../transport/squaredDistances.ts';
import { inStretches } from '../transport/stretches.ts';
import { couplingInSteps } from './couplingInSteps.ts';
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
      .float32()
      .positive()
      .default(0.05)
      .describe("Weight of the entropy, as a fraction of the batch's mean squared distance"),
    ...planOptions,
  }),
  create: ({ epsilon, ignoreCondition, ...settings }) =>
    couplingInSteps('sinkhorn', function* (request) {
      refuseConditions('sinkhorn', request, ignoreCondition);
      const costs = squaredDistances(request.x1, request.x0);
      const unit = yield* meanCost(costs);
      const plan = yield* entropicPlan(costs, { ...settings, epsilon: epsilon * (unit || 1) });
      return yield* nearestPermutation(plan, costs);
    }),
});

function* meanCost({ size, row }: CostRows): Stepwise<number> {
  let total = 0;
  yield* inStretches(size, size, (first, end) => {
    for (let i = first; i < end; i++) {
      const costs = row(i);
      let sum = total;
      for (let j = 0; j < size; j++) sum += costs[j];
      total = sum;
    }
  });
  return total / size ** 2;
}
