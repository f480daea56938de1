import type { Flow } from '../drivers/flow.ts';
import type { Dataset } from './dataset.ts';

export interface EstimateRequest {
  readonly flow: Flow;
  readonly data: Dataset;
  /** Number of points or samples that the estimate is based on. */
  readonly count: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Estimate {
  readonly value: number;
  /** Standard error of the value; absent for exact counts. */
  readonly standardError?: number;
  readonly count: number;
  /** `nats`, `bits/dim`, `evaluations`, … */
  readonly unit: string;
  /** Name of the solver used, if it is not the flow's own. */
  readonly solver?: string;
  /** Other measured values, by name. */
  readonly details?: Readonly<Record<string, number>>;
}

/** A metric of a trained flow. */
export interface Estimator {
  readonly name: string;
  /** @throws NumericalError, through `defineEstimator`, if a number of the estimate is not finite. */
  estimate(request: EstimateRequest): Promise<Estimate>;
}
