import { roundToHalf, type DType } from '@flow-matching/tensor';

/** How far a result may be from what it should be. Every case states its own, with the reason. */
export interface Limit {
  /** In words, for reports. */
  readonly description: string;
  /** The largest |error| allowed of the element at a flat index. */
  readonly allowance: (dtype: DType, expected: number, index: number) => number;
  /** A float result counts as equal to the exact value that rounds to it. */
  readonly rounds?: boolean;
}

/** Equal values; of floats, the nearest of the dtype to the exact one. Zeros of either sign are equal. */
export const exact: Limit = { description: 'exact', allowance: () => 0, rounds: true };

/** A number of units in the last place of the result's dtype, plus `absolute`. */
export const ulps = (count: number, absolute = 0): Limit => ({
  description: `${count} ulp${absolute === 0 ? '' : ` + ${absolute}`}`,
  allowance: (dtype, expected) => count * unitInLastPlace(dtype, expected) + absolute,
});

/** |error| ≤ absolute + relative · |expected|. */
export const close = (absolute: number, relative: number, because: string): Limit => ({
  description: `${absolute} + ${relative}·|expected|: ${because}`,
  allowance: (_, expected) => absolute + relative * Math.abs(expected),
});

/** A bound for each element. */
export const bounded = (bounds: ArrayLike<number>, because: string): Limit => ({
  description: because,
  allowance: (_, __, index) => bounds[index],
});

/** A number of standard errors, each element's own; a right result exceeds it with probability `falseAlarm`. */
export const statistical = (standardErrors: ArrayLike<number>, width: number, falseAlarm: number): Limit => ({
  description: `${width} standard errors, false alarms ${falseAlarm}`,
  allowance: (_, __, index) => width * standardErrors[index],
});

/** Where it is not that of f32. */
const precisions: Readonly<Partial<Record<DType, { readonly unitRoundOff: number; readonly leastNormal: number }>>> = {
  f16: { unitRoundOff: 2 ** -11, leastNormal: 2 ** -14 },
  f64: { unitRoundOff: 2 ** -53, leastNormal: 2 ** -1022 },
};

/** Unit round-off of a float dtype: half the distance from 1 to the next number. */
export const unitRoundOff = (dtype: DType): number => precisions[dtype]?.unitRoundOff ?? 2 ** -24;

/**
 * The bound of a sum of `length` rounded terms in any order, γ_n·Σ|terms| with n = length + `more` (Higham, "Accuracy and Stability
 * of Numerical Algorithms", section 3.1). Magnitudes are the sums of the terms' absolute values, one for each element.
 */
export function roundOff(dtype: DType, length: number, magnitudes: ArrayLike<number>, more = 1): Limit {
  const n = (length + more) * unitRoundOff(dtype);
  const gamma = n / (1 - n);
  return bounded(
    Float64Array.from(magnitudes, (magnitude) => gamma * magnitude + leastNormal(dtype)),
    `${length + more} roundings of ${dtype} relative to the sum of the terms' magnitudes`,
  );
}

/** Results below it may be flushed to zero. */
export const leastNormal = (dtype: DType): number => precisions[dtype]?.leastNormal ?? 2 ** -126;

/** The distance of two neighbours of `dtype` at `value`, that of the least normal number below it. */
function unitInLastPlace(dtype: DType, value: number): number {
  const magnitude = Math.max(Math.abs(value), leastNormal(dtype));
  return 2 ** Math.floor(Math.log2(magnitude)) * 2 * unitRoundOff(dtype);
}

/** Of floats that are less precise than the reference. */
const roundings: Readonly<Partial<Record<DType, (value: number) => number>>> = { f16: roundToHalf, f32: Math.fround };

/** The error over what is allowed: 0 for equal values, NaN and infinities included; infinite where only one of both is finite. */
export function errorRatio(limit: Limit, dtype: DType, actual: number, expected: number, index: number): number {
  if (Object.is(actual, expected) || actual === expected) return 0;
  const nearest = roundings[dtype]?.(expected) ?? expected;
  // What overflows is infinite whatever the limit.
  if (actual === nearest && (limit.rounds || !Number.isFinite(nearest))) return 0;
  const error = Math.abs(actual - expected);
  if (!Number.isFinite(error)) return Infinity;
  const allowed = limit.allowance(dtype, expected, index);
  return allowed > 0 ? error / allowed : Infinity;
}
