import type { HostRandomStream } from '../random/hostRandomStream.ts';
import type { HostArray } from '../tensor/hostArray.ts';

export interface CouplingRequest {
  /** Source points [batch, ...event]: draws from the prior of a one-sided path, the source samples of a two-sided one. */
  readonly x0: HostArray;
  /** Data points [batch, ...event]. */
  readonly x1: HostArray;
  readonly condition?: Readonly<Record<string, HostArray>>;
  /** Draws of this pairing: a function of the training's seed and step alone, so that a resumed training pairs as the first did. */
  readonly random: HostRandomStream;
}

/**
 * How source and data points of a batch are paired.
 *
 * A one-sided path takes any coupling where it starts from noise alone: a permutation leaves the noise of a batch what it was. Where
 * the data point is in the start's mean (variance-preserving and variance-exploding diffusion) noise that depends on it would start
 * from another distribution than the prior, so drivers refuse couplings that pair there.
 */
export interface Coupling {
  readonly name: string;
  /**
   * For each data point the index of its source point: a permutation, so that no point is dropped or doubled. Absent where pairs
   * are taken as they are drawn, which lets the noise be drawn inside the training graph.
   */
  pair?(request: CouplingRequest): Int32Array | Promise<Int32Array>;
}
