/** The middle of the sorted values, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** How another's time compares with ours in the same rounds: median over rounds, and the rounds' extremes. */
export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Ratios of the rounds' medians. What both did within seconds of one another saw the same machine, so its drift cancels. */
export function pairedRatio(theirs: readonly (readonly number[])[], ours: readonly (readonly number[])[]): Ratio {
  const rounds = Math.min(theirs.length, ours.length);
  const ratios = Array.from({ length: rounds }, (_, round) => median(theirs[round]) / median(ours[round]));
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

/** The value that a quarter of the others are below. */
export const lowerQuartile = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 4)];
