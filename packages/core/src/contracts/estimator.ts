import type { Flow } from '../drivers/flow.ts';
import type { Dataset } from './dataset.ts';

export interface EstimateRequest {
  readonly flow: Flow;
  readonly data: Dataset;
  /** Number of points or samples the estimate rests on. */
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
  /** Name of the solver it rests on, where that is not the flow's own. */
  readonly solver?: string;
  /** Whatever else was measured on the way, by name. */
  readonly details?: Readonly<Record<string, number>>;
}

/** A metric of a trained flow. */
export interface Estimator {
  readonly name: string;
  /** @throws NumericalError, through `defineEstimator`, where a number of the estimate is not finite. */
  estimate(request: EstimateRequest): Promise<Estimate>;
}
