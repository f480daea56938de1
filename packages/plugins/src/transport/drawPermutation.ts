import type { Stepwise } from '@flow-matching/tensor';
import type { EntropicPlan } from './entropicPlan.ts';
import type { CostRows } from './costRows.ts';
import { linearAssignment } from './linearAssignment.ts';
import { sure } from './probabilityUnit.ts';
import { settleDigits } from './settleDigits.ts';
import { settleSquares } from './settleSquares.ts';
import { denseCosts } from './squaredDistances.ts';
import { inStretches } from './stretches.ts';

/**
 * Draws a permutation in which row i goes to column j with the plan's probability for that pair, to 2⁻²⁴: dependent rounding
 * (Gandhi, Khuller, Parthasarathy & Srinivasan 2006, "Dependent rounding and its applications to approximation algorithms").
 * Along a cycle of pairs that are neither sure nor excluded, probability moves from every second pair to the others or back, at
 * random such that its expectation is kept; row and column sums never change. Most pairs are resolved by short cycles, the rest
 * by digits.
 *
 * If a plan is not exactly balanced, a few rows and columns are left without a partner; they are assigned at the lowest cost.
 *
 * @param uniform draws from [0, 1) on the grid of 2⁻²⁴.
 * @returns the column of each row.
 */
export function* drawPermutation(plan: EntropicPlan, costs: CostRows, uniform: () => number): Stepwise<Int32Array> {
  const { size } = plan;
  const weights = yield* wholeWeights(plan);
  yield* settleSquares(size, weights, uniform);
  yield* settleDigits(size, weights, uniform);
  const columns = new Int32Array(size);
  yield* inStretches(size, size, (first, end) => {
    for (let i = first; i < end; i++) columns[i] = weights.subarray(i * size, (i + 1) * size).indexOf(sure);
  });
  yield* joinRest(columns, costs);
  return columns;
}

/** The plan in units of 2⁻²⁴. Rows and then columns with a sum above 1 are scaled down to 1, so that none is drawn twice. */
function* wholeWeights({ size, probability }: EntropicPlan): Stepwise<Int32Array> {
  const scaled = new Float64Array(size * size);
  const sums = new Float64Array(size);
  yield* inStretches(size, size, (first, end) => {
    for (let at = first * size; at < end * size; at += size) {
      let total = 0;
      for (let j = 0; j < size; j++) total += probability[at + j];
      const scale = 1 / Math.max(1, total);
      for (let j = 0; j < size; j++) sums[j] += scaled[at + j] = scale * probability[at + j];
    }
  });
  const weights = new Int32Array(size * size);
  for (let j = 0; j < size; j++) sums[j] = sure / Math.max(1, sums[j]);
  yield* inStretches(size, size, (first, end) => {
    for (let at = first * size; at < end * size; at += size) {
      for (let j = 0; j < size; j++) weights[at + j] = scaled[at + j] * sums[j];
    }
  });
  return weights;
}

function* joinRest(columns: Int32Array, costs: CostRows): Stepwise<void> {
  const rows = Array.from(columns.keys()).filter((i) => columns[i] < 0);
  const taken = new Set(columns);
  const free = Array.from(columns.keys()).filter((j) => !taken.has(j));
  const between = denseCosts(rows.length, (a, row) => {
    const cost = costs.row(rows[a]);
    free.forEach((j, b) => (row[b] = cost[j]));
  });
  const rest = yield* linearAssignment(between);
  rows.forEach((i, a) => (columns[i] = free[rest.columns[a]]));
}
