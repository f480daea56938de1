import type { HostArray } from '../tensor/hostArray.ts';

export interface CouplingRequest {
  /** Source points [batch, ...event]: the noise of a one-sided path, the source samples of a two-sided one. */
  readonly x0: HostArray;
  /** Data points [batch, ...event]. */
  readonly x1: HostArray;
  readonly condition?: Readonly<Record<string, HostArray>>;
}

/** How source and data points of a batch are paired. */
export interface Coupling {
  readonly name: string;
  /**
   * For each data point the index of its source point: a permutation, so that no point is dropped or doubled. Absent where pairs
   * are taken as they are drawn, which lets the noise be drawn inside the training graph.
   */
  pair?(request: CouplingRequest): Int32Array | Promise<Int32Array>;
}
