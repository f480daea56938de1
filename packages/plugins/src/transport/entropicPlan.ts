import { NumericalError } from '@flow-matching/core';
import type { Stepwise } from '@flow-matching/tensor';
import { auction } from './auction.ts';
import { balanceLargest } from './balanceLargest.ts';
import type { CostRows } from './costRows.ts';
import { largestCost } from './largestCost.ts';
import { linearAssignment } from './linearAssignment.ts';
import { inStretches } from './stretches.ts';

export interface EntropicPlanOptions {
  /** Weight ε of the entropy, in units of the costs. */
  readonly epsilon: number;
  /** Mean |row sum − 1| at which the plan counts as balanced; columns balance exactly. */
  readonly tolerance: number;
  readonly maxIterations: number;
}

/** Row-major, [size, size]: rows and columns sum to 1, so that entry (i, j) is the probability that row i goes to column j. */
export interface EntropicPlan {
  readonly size: number;
  readonly probability: Float64Array;
  readonly iterations: number;
  /** Mean |row sum − 1|. */
  readonly imbalance: number;
}

/**
 * The plan between uniform marginals that minimizes ⟨P, cost⟩ − ε·entropy(P), by Sinkhorn's iteration (Cuturi 2013, "Sinkhorn
 * distances"). It starts from the potentials of an auction with increments of ε or less: every entry of the kernel is then at
 * most 1, each row holds a 1 and each column an entry of 1/e or more, so nothing underflows however small ε is. If ε is below
 * the resolution of the costs in f64 (6e-14 of the largest), the plan is that of the smallest resolvable ε, the optimal
 * assignment.
 *
 * Between two iterations over the whole kernel, as many as needed run over its large entries only. The whole kernel decides
 * whether the plan is balanced, and all of it enters the plan.
 *
 * @throws NumericalError if the plan does not balance within `maxIterations`.
 */
export function* entropicPlan(
  costs: CostRows,
  { epsilon, tolerance, maxIterations }: EntropicPlanOptions,
): Stepwise<EntropicPlan> {
  const { size } = costs;
  const kernel = yield* kernelOf(costs, epsilon);
  const left = new Float64Array(size).fill(1);
  const right = new Float64Array(size).fill(1);
  let [iterations, imbalance, sparse] = [0, yield* iterate(kernel, left, right), true];
  while (iterations < maxIterations && Number.isFinite(imbalance)) {
    if (sparse) {
      const most = maxIterations - iterations - 1;
      const taken = yield* balanceLargest(kernel, left, right, { tolerance, maxIterations: most });
      sparse = taken > 0;
      iterations += taken;
    }
    imbalance = yield* iterate(kernel, left, right);
    iterations++;
    if (imbalance <= tolerance) {
      yield* inStretches(size, size, (first, end) => {
        for (let i = first; i < end; i++) for (let j = 0; j < size; j++) kernel[i * size + j] *= left[i] * right[j];
      });
      return { size, probability: kernel, iterations, imbalance };
    }
  }
  throw new NumericalError(
    `The transport plan does not balance: after ${maxIterations} iterations its rows are off by ${imbalance.toExponential(1)} on average.`,
    {
      actual: imbalance,
      expected: `an imbalance of at most ${tolerance}`,
      remedy:
        'Raise maxIterations or tolerance, or the weight of the entropy; the exact coupling is optimal-transport.',
    },
  );
}

/** Differences below this fraction of the largest cost are lost in the rounding of costs and potentials. */
const resolution = 2 ** -44;

/**
 * exp((rowPotential + columnPotential − cost)/ε), row-major. An ε below the resolution of the costs is replaced by the smallest
 * resolvable one.
 */
function* kernelOf(costs: CostRows, asked: number): Stepwise<Float64Array> {
  const { size } = costs;
  const epsilon = Math.max(asked, resolution * (yield* largestCost(costs)));
  const potential = yield* columnPotentials(costs, epsilon);
  const kernel = new Float64Array(size * size);
  yield* inStretches(size, size, (first, end) => {
    for (let i = first; i < end; i++) {
      const cost = costs.row(i);
      let least = Infinity;
      for (let j = 0; j < size; j++) least = Math.min(least, cost[j] - potential[j]);
      for (let j = 0; j < size; j++) kernel[i * size + j] = Math.exp((least - (cost[j] - potential[j])) / epsilon);
    }
  });
  return kernel;
}

function* columnPotentials(costs: CostRows, epsilon: number): Stepwise<Float64Array> {
  const near = yield* auction(costs, epsilon);
  if (near.increment <= epsilon) return near.columnPotentials;
  const exact = yield* linearAssignment(costs);
  return exact.columnPotentials;
}

/** Scales rows and then columns to sum 1. Returns the previous mean |row sum − 1|. */
function* iterate(kernel: Float64Array, left: Float64Array, right: Float64Array): Stepwise<number> {
  const size = left.length;
  const sums = new Float64Array(size);
  const scale = (row: number, sum: number): number => {
    const off = Math.abs(left[row] * sum - 1);
    left[row] = 1 / sum;
    return off;
  };
  let imbalance = 0;
  // Processing four rows at once reads and writes the column sums a quarter as often.
  const addFour = (row: number): void => {
    const [p, q, r, s] = [row * size, (row + 1) * size, (row + 2) * size, (row + 3) * size];
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let j = 0; j < size; j++) {
      const by = right[j];
      a += kernel[p + j] * by;
      b += kernel[q + j] * by;
      c += kernel[r + j] * by;
      d += kernel[s + j] * by;
    }
    imbalance += scale(row, a) + scale(row + 1, b) + scale(row + 2, c) + scale(row + 3, d);
    [a, b, c, d] = [left[row], left[row + 1], left[row + 2], left[row + 3]];
    for (let j = 0; j < size; j++) {
      sums[j] += a * kernel[p + j] + b * kernel[q + j] + (c * kernel[r + j] + d * kernel[s + j]);
    }
  };
  const addOne = (row: number): void => {
    const first = row * size;
    let sum = 0;
    for (let j = 0; j < size; j++) sum += kernel[first + j] * right[j];
    imbalance += scale(row, sum);
    for (let j = 0; j < size; j++) sums[j] += left[row] * kernel[first + j];
  };
  const fours = Math.floor(size / 4);
  yield* inStretches(fours, 4 * size, (first, end) => {
    for (let four = first; four < end; four++) addFour(4 * four);
  });
  for (let row = 4 * fours; row < size; row++) addOne(row);
  for (let j = 0; j < size; j++) right[j] = 1 / sums[j];
  return imbalance / size;
}
