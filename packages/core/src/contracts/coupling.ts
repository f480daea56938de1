import type { HostRandomStream, HostArray } from '@flow-matching/tensor';

export interface CouplingRequest {
  /** Source points [batch, ...event]: draws from the prior of a one-sided path, the source samples of a two-sided one. */
  readonly x0: HostArray;
  /** Data points [batch, ...event]. */
  readonly x1: HostArray;
  readonly condition?: Readonly<Record<string, HostArray>>;
  /** Random draws for this pairing, determined by the training's seed and step only, so that a resumed training makes the same pairs. */
  readonly random: HostRandomStream;
  /** Aborts the pairing: `pair` then throws the signal's reason. A fast coupling may ignore it. */
  readonly signal?: AbortSignal;
}

/**
 * How source and data points of a batch are paired.
 *
 * A one-sided path accepts any coupling if it starts from noise alone: a permutation does not change the distribution of a
 * batch's noise. If the mean at the start contains the data point (variance-preserving and variance-exploding diffusion), noise
 * that depends on it would start from a distribution other than the prior, so drivers refuse couplings that pair.
 */
export interface Coupling {
  readonly name: string;
  /**
   * The index of the source point for each data point: a permutation, so that no point is dropped or duplicated. Absent if
   * pairs are used as drawn; the noise can then be drawn inside the training graph.
   *
   * The thread is blocked until `pair` returns. A pairing that takes longer than a few hundredths of a second should return a promise
   * and await `yieldToEventLoop` regularly, or be a {@link Stepwise} computation run by `finishOnClock`.
   *
   * @throws the reason of the request's signal if it is aborted during the pairing.
   */
  pair?(request: CouplingRequest): Int32Array | Promise<Int32Array>;
}
