import type { Tensor } from '@flow-matching/tensor';

/** What a conditional path is conditioned on: the data point, and the source point if the path is two-sided. Each [batch, ...event]. */
export interface Endpoints {
  readonly x1: Tensor;
  readonly x0?: Tensor;
}

/** The interval on which drivers train, sample and score; inside it every formula of the path is finite in f32. */
export interface TimeInterval {
  readonly start: number;
  readonly end: number;
}

/**
 * A conditional Gaussian probability path p_t(x | z) = N(mean(t, z), std(t)² I), from noise at t = 0 to data at t = 1 (Lipman
 * et al. 2023, section 4; times of diffusion paths are reversed to fit).
 *
 * One-sided paths condition on the data point and start at the prior N(0, diag(priorStd²)). Two-sided ones condition on a pair
 * (x0, x1), start at x0 and add noise in between.
 *
 * In the formulas t has shape [batch, 1, …], so that it broadcasts against data [batch, ...event]. They define everything: ψ_t,
 * the training target, the field of Theorem 3, score and noise follow from them by forward-mode derivatives.
 */
export interface Path {
  readonly name: string;
  readonly sides: 'one' | 'two';
  readonly interval: TimeInterval;
  /** Standard deviation of the prior that one-sided sampling starts from: one number, or one per coordinate of a point. */
  readonly priorStd: number | readonly number[];
  /** [batch, ...event]. */
  mean(t: Tensor, z: Endpoints): Tensor;
  /** [batch, 1, …], or [batch, ...event] for a standard deviation per dimension; positive inside the interval, or 0 throughout on a two-sided path. */
  std(t: Tensor): Tensor;
  /** u_t(x | z) [batch, ...event], if known in closed form; conformance checks it against the derived field. */
  field?(t: Tensor, x: Tensor, z: Endpoints): Tensor;
}
