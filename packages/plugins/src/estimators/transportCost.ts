import type { HostArray, Stepwise } from '@flow-matching/tensor';
import { linearAssignment } from '../transport/linearAssignment.ts';
import { squaredDistances } from '../transport/squaredDistances.ts';
import { variance } from './statistics.ts';

/** The squared 2-Wasserstein distance of two samples of equal size, and the contribution of each point. */
export interface TransportCost {
  readonly squared: number;
  /** Standard error of the fluctuation around the expected value at this sample size. */
  readonly standardError: number;
  /** Dual potentials of both samples' points: their means add up to `squared`. */
  readonly from: Float64Array;
  readonly to: Float64Array;
}

/**
 * Exact transport between samples [count, ...event]. The standard error follows from the potentials: √count·(W₂² − E W₂²) tends
 * to a normal distribution with the variance of the potentials (del Barrio & Loubes 2019, "Central limit theorems for empirical
 * transportation cost in general dimension").
 */
export function* transportCost(from: HostArray, to: HostArray): Stepwise<TransportCost> {
  const count = from.shape[0];
  const { rowPotentials, columnPotentials, cost } = yield* linearAssignment(squaredDistances(from, to));
  const standardError = Math.sqrt((variance(rowPotentials) + variance(columnPotentials)) / count);
  return { squared: cost / count, standardError, from: rowPotentials, to: columnPotentials };
}
