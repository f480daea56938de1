import type { HostArray, Shape } from '@flow-matching/tensor';

export interface BatchRequest {
  /** Index of the batch in the stream, from 0. Equal requests return equal batches, which makes resumed training exact. */
  readonly index: number;
  /** Number of points. */
  readonly size: number;
  readonly seed: number;
  /** 'test' gives points that training never sees, if the dataset holds some out (synthetic ones draw from another stream). Default 'train'. */
  readonly split?: 'train' | 'test';
}

export interface Batch {
  /** [size, ...shape]. */
  readonly x1: HostArray;
  /** Source points of a two-sided path, [size, ...shape]. */
  readonly x0?: HostArray;
  /** Each [size, ...]. */
  readonly condition?: Readonly<Record<string, HostArray>>;
}

/** Known closed forms of a synthetic distribution. */
export interface KnownDensity {
  /** Differential entropy, nats. */
  readonly entropy?: number;
  /** Natural logarithm of the density at points [count, ...shape], one per point; −∞ outside the support. */
  logDensity(points: HostArray): Float64Array;
}

export interface Dataset {
  readonly name: string;
  /** Shape of one point. */
  readonly shape: Shape;
  /** Number of training points; absent if they are newly drawn for every batch. */
  readonly size?: number;
  /** Number of points that training never sees; absent if they are newly drawn, or none are held out. */
  readonly testSize?: number;
  readonly density?: KnownDensity;
  /** Warnings shown when training starts, a sentence or two each: scales far from those of noise, rounded numbers. */
  readonly warnings?: readonly string[];
  batch(request: BatchRequest): Batch | Promise<Batch>;
}
