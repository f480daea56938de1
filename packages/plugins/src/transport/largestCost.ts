import type { Stepwise } from '@flow-matching/tensor';
import type { CostRows } from './costRows.ts';
import { inStretches } from './stretches.ts';

/** The largest absolute cost. */
export function* largestCost({ size, row }: CostRows): Stepwise<number> {
  let largest = 0;
  yield* inStretches(size, size, (first, end) => {
    for (let i = first; i < end; i++) {
      const costs = row(i);
      let most = largest;
      for (let j = 0; j < size; j++) most = Math.max(most, Math.abs(costs[j]));
      largest = most;
    }
  });
  return largest;
}
