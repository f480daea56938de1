import { NumericalError } from '@flow-matching/core';
import { linearAssignment, type CostRows } from './linearAssignment.ts';

export interface EntropicPlanOptions {
  /** Weight ε of the entropy, in the unit of the costs. */
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
 * distances"). It starts from the potentials of the exact assignment, which lie within ε·ln(size) of the entropic ones: every
 * entry of the kernel is then at most 1 and each row and column holds a 1, so nothing underflows however small ε is.
 *
 * @throws NumericalError where the plan does not balance within `maxIterations`.
 */
export function entropicPlan(
  costs: CostRows,
  { epsilon, tolerance, maxIterations }: EntropicPlanOptions,
): EntropicPlan {
  const { size } = costs;
  const probability = kernel(costs, epsilon);
  const left = new Float64Array(size).fill(1);
  const right = new Float64Array(size).fill(1);
  const sums = new Float64Array(size);
  let imbalance = Infinity;
  for (let iteration = 0; iteration <= maxIterations; iteration++) {
    imbalance = 0;
    sums.fill(0);
    for (let i = 0; i < size; i++) {
      const first = i * size;
      let sum = 0;
      for (let j = 0; j < size; j++) sum += probability[first + j] * right[j];
      imbalance += Math.abs(left[i] * sum - 1) / size;
      left[i] = 1 / sum;
      for (let j = 0; j < size; j++) sums[j] += probability[first + j] * left[i];
    }
    for (let j = 0; j < size; j++) right[j] = 1 / sums[j];
    if (!Number.isFinite(imbalance)) break;
    if (iteration > 0 && imbalance <= tolerance) {
      for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) probability[i * size + j] *= left[i] * right[j];
      return { size, probability, iterations: iteration, imbalance };
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

function kernel(costs: CostRows, epsilon: number): Float64Array {
  const { size } = costs;
  const { rowPotentials, columnPotentials } = linearAssignment(costs);
  const values = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    const cost = costs.row(i);
    for (let j = 0; j < size; j++)
      values[i * size + j] = Math.exp((rowPotentials[i] + columnPotentials[j] - cost[j]) / epsilon);
  }
  return values;
}
