import { defineEstimator, type Estimator } from '@flow-matching/core';
import { finishOnClock, HostRandomStream, streams, type HostArray, type Stepwise } from '@flow-matching/tensor';
import * as z from 'zod';
import { drawSamples, heldOut } from './drawSamples.ts';
import { mean, rootWithError, variance } from './statistics.ts';

/** With so many directions, the standard error over directions is below a thousandth of their standard deviation. */
const largestProjections = 2 ** 20;

/**
 * The sliced 2-Wasserstein distance (Bonneel et al. 2015, "Sliced and Radon Wasserstein barycenters of measures"): the root
 * mean square, over random directions, of the distance between the projections of samples and of as many held-out points. The
 * standard error includes the part of the samples, from the dual potentials averaged over directions, and that of the
 * directions.
 *
 * @throws SolverError if a solve does not reach its end.
 */
export const slicedWasserstein = defineEstimator({
  name: 'sliced-wasserstein',
  summary: '2-Wasserstein distance averaged over random projections',
  options: z.strictObject({
    projections: z.int().positive().max(largestProjections).default(128).describe('Number of random directions'),
  }),
  create: ({ projections }): Estimator => ({
    name: 'sliced-wasserstein',
    async estimate(request) {
      const { samples } = await drawSamples(request);
      const { x1 } = await heldOut(request);
      const cost = slicedCost(samples, x1, projections, request.seed);
      const { squared, standardError } = await finishOnClock(cost, request.signal);
      return {
        ...rootWithError(squared, standardError),
        count: request.count,
        unit: "data's unit",
        details: { squared, projections },
      };
    },
  }),
});

/** The squared distance between samples [count, ...event], and its standard error. Pauses after each direction. */
export function* slicedCost(
  a: HostArray,
  b: HostArray,
  projections: number,
  seed: number,
): Stepwise<{ squared: number; standardError: number }> {
  const count = a.shape[0];
  const dimension = a.data.length / count;
  const random = new HostRandomStream(seed, streams.evaluation);
  const costs = new Float64Array(projections);
  const [potentialA, potentialB] = [new Float64Array(count), new Float64Array(count)];
  const addDirection = (p: number): void => {
    const direction = unitVector(random.normal([dimension]).data);
    const [x, y] = [project(a, direction), project(b, direction)];
    const [orderX, orderY] = [orderOf(x), orderOf(y)];
    let potential = 0;
    for (let k = 0; k < count; k++) {
      const [i, j] = [orderX[k], orderY[k]];
      if (k > 0) {
        // Between neighbors the slope may lie anywhere between two bounds; their mean makes the potentials feasible.
        const [before, other] = [x[orderX[k - 1]], y[orderY[k - 1]]];
        potential += (x[i] - before) * (x[i] + before - y[j] - other);
      }
      const cost = (x[i] - y[j]) ** 2;
      costs[p] += cost / count;
      potentialA[i] += potential / projections;
      potentialB[j] += (cost - potential) / projections;
    }
  };
  for (let p = 0; p < projections; p++) {
    addDirection(p);
    yield;
  }
  const ofSamples = (variance(potentialA) + variance(potentialB)) / count;
  return { squared: mean(costs), standardError: Math.sqrt(ofSamples + variance(costs) / projections) };
}

function unitVector(values: ArrayLike<number>): number[] {
  const direction = Array.from(values);
  const norm = Math.sqrt(direction.reduce((sum, value) => sum + value ** 2, 0));
  return direction.map((value) => value / norm);
}

function project({ data, shape: [count] }: HostArray, direction: readonly number[]): Float64Array {
  const dimension = direction.length;
  return Float64Array.from({ length: count }, (_, i) => {
    let sum = 0;
    for (let d = 0; d < dimension; d++) sum += direction[d] * data[i * dimension + d];
    return sum;
  });
}

const orderOf = (values: Float64Array): Uint32Array =>
  Uint32Array.from(values.keys()).toSorted((i, j) => values[i] - values[j]);
