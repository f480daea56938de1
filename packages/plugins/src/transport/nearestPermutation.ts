import type { Stepwise } from '@flow-matching/tensor';
import type { EntropicPlan } from './entropicPlan.ts';
import type { CostRows } from './costRows.ts';
import { largestCost } from './largestCost.ts';
import { linearAssignment } from './linearAssignment.ts';
import { denseCosts } from './squaredDistances.ts';

/** Weight of the cost relative to the plan's mass: it only decides between permutations that keep equal mass. */
const tieBreak = 1e-9;

/**
 * The permutation nearest to a plan: the one that keeps most of its mass (equivalently, with the smallest squared difference).
 * Ties are resolved by the lowest cost.
 *
 * @returns the column of each row.
 */
export function* nearestPermutation({ size, probability }: EntropicPlan, costs: CostRows): Stepwise<Int32Array> {
  const largest = yield* largestCost(costs);
  const weight = largest > 0 ? tieBreak / largest : 0;
  const loss = denseCosts(size, (i, row) => {
    const cost = costs.row(i);
    for (let j = 0; j < size; j++) row[j] = weight * cost[j] - probability[i * size + j];
  });
  const { columns } = yield* linearAssignment(loss);
  return columns;
}
