import { roundToHalf, type DType } from '@flow-matching/tensor';

/** The largest allowed error of a result. Every case has its own, with the reason. */
export interface Limit {
  /** Description for reports. */
  readonly description: string;
  /** The largest |error| allowed of the element at a flat index. */
  readonly allowance: (dtype: DType, expected: number, index: number) => number;
  /** Whether a float result counts as equal to any exact value that rounds to it. */
  readonly rounds?: boolean;
}

/** Equal values; for floats, the value of the dtype nearest to the exact one. Zeros of both signs are equal. */
export const exact: Limit = { description: 'exact', allowance: () => 0, rounds: true };

/** `count` units in the last place of the result's dtype, plus `absolute`. */
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

/** `width` standard errors, per element; a correct result exceeds it with probability `falseAlarm`. */
export const statistical = (standardErrors: ArrayLike<number>, width: number, falseAlarm: number): Limit => ({
  description: `${width} standard errors, false alarms ${falseAlarm}`,
  allowance: (_, __, index) => width * standardErrors[index],
});

/** The precision of dtypes other than f32. */
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

/** Smallest normal number: results below it may be flushed to zero. */
export const leastNormal = (dtype: DType): number => precisions[dtype]?.leastNormal ?? 2 ** -126;

/** The spacing of `dtype` at `value`; below the smallest normal number, the spacing there. */
function unitInLastPlace(dtype: DType, value: number): number {
  const magnitude = Math.max(Math.abs(value), leastNormal(dtype));
  return 2 ** Math.floor(Math.log2(magnitude)) * 2 * unitRoundOff(dtype);
}

/** For floats that are less precise than the reference. */
const roundings: Readonly<Partial<Record<DType, (value: number) => number>>> = { f16: roundToHalf, f32: Math.fround };

/** Error ÷ limit: 0 for equal values, including NaN and infinities; infinite if only one of the values is finite. */
export function errorRatio(limit: Limit, dtype: DType, actual: number, expected: number, index: number): number {
  if (Object.is(actual, expected) || actual === expected) return 0;
  const nearest = roundings[dtype]?.(expected) ?? expected;
  // Overflow gives infinity for any limit.
  if (actual === nearest && (limit.rounds || !Number.isFinite(nearest))) return 0;
  const error = Math.abs(actual - expected);
  if (!Number.isFinite(error)) return Infinity;
  const allowed = limit.allowance(dtype, expected, index);
  return allowed > 0 ? error / allowed : Infinity;
}
