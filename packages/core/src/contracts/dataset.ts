import type { HostArray } from '../tensor/hostArray.ts';
import type { Shape } from '../tensor/shape.ts';

export interface BatchRequest {
  /** Which batch of the stream, from 0. Equal requests get equal batches: that is what makes a resumed training exact. */
  readonly index: number;
  /** Number of points. */
  readonly size: number;
  readonly seed: number;
  /** Points that training never sees, where the data set holds some out (synthetic ones draw from another stream). Default 'train'. */
  readonly split?: 'train' | 'test';
}

export interface Batch {
  /** [size, ...shape]. */
  readonly x1: HostArray;
  /** Source points of a two-sided path, [size, ...shape]. */
  readonly x0?: HostArray;
  /** [size, ...] each. */
  readonly condition?: Readonly<Record<string, HostArray>>;
}

/** What is known of a synthetic distribution in closed form. */
export interface KnownDensity {
  /** Differential entropy, nats. */
  readonly entropy?: number;
  /** Natural logarithm of the density at points [count, ...shape], one a point; −∞ outside the support. */
  logDensity(points: HostArray): Float64Array;
}

export interface Dataset {
  readonly name: string;
  /** Shape of one point. */
  readonly shape: Shape;
  /** Number of training points; absent where they are drawn afresh. */
  readonly size?: number;
  /** Number of points that training never sees; absent where they are drawn afresh, or none are held out. */
  readonly testSize?: number;
  readonly density?: KnownDensity;
  /** What whoever trains on it should know, a sentence or two each: scales far from those of noise, numbers that were rounded. */
  readonly warnings?: readonly string[];
  batch(request: BatchRequest): Batch | Promise<Batch>;
}
