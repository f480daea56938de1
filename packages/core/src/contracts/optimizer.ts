import type { Tensor, HostArray, Shape, DType } from '@flow-matching/tensor';

export interface OptimizerUpdate {
  readonly parameter: Tensor;
  /** May contain NaN or infinity: the trainer then keeps the old parameter and state. */
  readonly gradient: Tensor;
  readonly state: Readonly<Record<string, Tensor>>;
  /** Scalar f32. */
  readonly learningRate: Tensor;
  /** Number of this update, from 1; scalar f32. */
  readonly step: Tensor;
}

/** A first-order update rule, applied to each parameter separately. */
export interface Optimizer {
  readonly name: string;
  /** The base learning rate, which the schedule multiplies. */
  readonly learningRate: number;
  readonly schedule: Schedule;
  /** The state of one parameter before the first step. */
  init(parameter: { readonly shape: Shape; readonly dtype: DType }): Record<string, HostArray>;
  /** Traced. */
  update(request: OptimizerUpdate): { readonly parameter: Tensor; readonly state: Readonly<Record<string, Tensor>> };
}

/** The learning rate over the course of a training. */
export interface Schedule {
  readonly name: string;
  /** The factor multiplying the base learning rate at `step` (from 0) of `steps`. */
  factor(step: number, steps: number): number;
}
