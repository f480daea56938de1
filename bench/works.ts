export type WorkKind = 'training' | 'sampling' | 'likelihood' | 'pairing' | 'product';

/** One piece of work that every subject does, and how it is timed. */
export interface Work {
  readonly id: string;
  readonly kind: WorkKind;
  readonly title: string;
  /** Points of a batch or a solve. */
  readonly size: number;
  /** Operations (steps, solves) that one timing is the mean of: short ones need several to be told from the clock's grain. */
  readonly operations: number;
  /** Timings a round. */
  readonly timings: number;
}

const titles: Readonly<Record<WorkKind, (size: number) => string>> = {
  training: (size) => `Training step with Adam, batch ${size}`,
  sampling: (size) => `Sampling ${size} points, dopri5 at 1e-5`,
  likelihood: (size) => `Hutchinson log-likelihood of ${size} points, dopri5 at 1e-5`,
  pairing: (size) => `Pairing ${size} points`,
  product: (size) => `Product of two ${size}×${size} matrices`,
};

export const work = (kind: WorkKind, size: number, operations: number, timings: number): Work => ({
  id: `${kind}/${size}`,
  kind,
  title: titles[kind](size),
  size,
  operations,
  timings,
});

/** What peers do too. Blocks of half a second to some seconds: long against a subject's awakening, short against the machine's drift. */
export const works: readonly Work[] = [
  work('training', 256, 20, 5),
  work('training', 4096, 5, 3),
  work('sampling', 256, 2, 5),
  work('sampling', 4096, 1, 2),
  work('likelihood', 256, 1, 5),
  work('likelihood', 4096, 1, 1),
];
