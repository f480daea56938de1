import type { Comparison } from './compare.ts';
import type { Variant } from './ourSubject.ts';
import type { Work } from './works.ts';

/** A comparison of variants of ours with one another; peers have no part in it. */
export interface Study {
  readonly id: string;
  /** Works, and what does each in turns: ratios are to the first. */
  readonly contests: readonly { readonly work: Work; readonly variants: readonly Variant[] }[];
  /** The table of the contests' comparisons, in their order. */
  readonly format: (comparisons: readonly Comparison[]) => string;
}
