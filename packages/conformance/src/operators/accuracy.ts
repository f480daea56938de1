import { isFloat, type HostArray } from '@flow-matching/tensor';
import { referenceOf, type Formula } from '../case/agreement.ts';
import { bounded, exact, leastNormal, roundOff, ulps, unitRoundOff, type Limit } from '../case/limit.ts';
import type { LimitOf } from '../case/use.ts';

// The allowed error of a backend, by operator. f32 runs on GPUs too, so the table of WGSL (W3C, section 15.7.4, "Floating point
// accuracy") is used where it is tight enough; where it is not (sin, cos and tanh may be off by 2⁻¹¹ and more), the bound is
// that of the usual implementation, given next to it. f64 arithmetic is that of IEEE 754.

/** Correctly rounded in f64; `count` units in the last place in f32 and f16. */
export const ulpsOfSingle =
  (count: number): LimitOf =>
  ({ dtype }) =>
    dtype === 'f64' ? exact : ulps(count);

/** WGSL: 2.5 ulp. */
export const division: LimitOf = ulpsOfSingle(2.5);
/** WGSL: the reciprocal of inverseSqrt, 2.5 ulp after 2 ulp. */
export const squareRoot: LimitOf = ulpsOfSingle(5);
/** fmod as a − b·trunc(a/b), WGSL's definition of %: the product is rounded once, and is at most a. */
export const remainder: LimitOf = (expected, [a]) =>
  isFloat(expected.dtype)
    ? perElement(
        expected,
        (i, unit) => 2 * unit * Math.abs(at(a, i, expected)),
        'one rounding of the product that is subtracted',
      )
    : exact;

/** WGSL: 3 + 2·|x| ulp. */
export const exponential: LimitOf = (expected, [x]) =>
  perElement(expected, (i) => (3 + 2 * Math.abs(x.data[i])) * unitAt(expected, i), '3 + 2·|x| ulp (WGSL)');

/** WGSL: 3 ulp, and 2⁻²¹ for x in [½, 2]. */
export const logarithm: LimitOf = (expected, [x]) =>
  perElement(
    expected,
    (i, unit) => Math.max(3 * unitAt(expected, i), x.data[i] >= 0.5 && x.data[i] <= 2 ? 8 * unit : 0),
    '3 ulp, and 8 round-offs for x in [½, 2] (WGSL)',
  );

/** exp2(b·log2(a)) with WGSL's log2, whose error b multiplies, and exp2. */
export const power: LimitOf = (expected, [a, b]) =>
  perElement(
    expected,
    (i, unit) => {
      const exponent = at(b, i, expected);
      const binary = Math.abs(exponent * Math.log2(Math.abs(at(a, i, expected))));
      const relative = 8 * unit * Math.abs(exponent) * Math.LN2 + 2 * unit * (4 + 4 * binary);
      return relative * Math.abs(expected.data[i]);
    },
    'exp2(b·log2(a)) within WGSL’s errors of both',
  );

/** Its purpose is to keep the digits that exp(x) − 1 loses. */
export const exponentialLessOne: Limit = ulps(8);
/** Its purpose is to keep the digits that log(1 + x) loses. */
export const logarithmOfOnePlus: Limit = ulps(4);

/** A polynomial accurate to a few ulp after reducing x to [−π, π], which costs a rounding of x. */
export const circular: LimitOf = (expected, [x]) =>
  perElement(
    expected,
    (i, unit) => 4 * unitAt(expected, i) + 4 * unit * Math.max(1, Math.abs(x.data[i])),
    '4 ulp + 4 round-offs of the argument',
  );

/** 1 − 2/(exp(2x) + 1) within WGSL's errors of exp and division, which add up to 9 round-offs at 0. */
export const hyperbolicTangent: LimitOf = ulpsAndUnits(4, 9);
/** 1/(1 + exp(−x)) within WGSL's errors; the tail below a few round-offs of 1 may be cut off. */
export const logistic: LimitOf = ulpsAndUnits(4, 3.4);
/** Abramowitz & Stegun 7.1.26 is within 1.5·10⁻⁷, its exponential and its sum within a few round-offs more. */
export const errorFunction: LimitOf = ulpsAndUnits(4, 8);

/** x times {@link logistic}, rounded once. */
export const scaledLogistic: LimitOf = (expected, [x]) =>
  perElement(
    expected,
    (i, unit) => 3.4 * unit * Math.abs(x.data[i]) + 9 * unit * Math.abs(expected.data[i]),
    'x times the error of the sigmoid, and a rounding',
  );

/** log1p(exp(−|x|)) within 4 ulp of log1p and 3 + 2·|x| ulp of exp, added to max(x, 0). */
export const softplus: LimitOf = (expected, [x]) =>
  perElement(
    expected,
    (i, unit) => (16 + 4 * Math.abs(x.data[i])) * unit * expected.data[i],
    '4 ulp of log1p and 3 + 2·|x| ulp of exp',
  );

/** x/2 times an error of 16 round-offs in erf or tanh, which tend to 1, and those of its argument. */
export const gelu: LimitOf = (expected, [x]) =>
  perElement(
    expected,
    (i, unit) => 16 * unit * Math.abs(x.data[i]),
    'x times half of 32 round-offs in erf or tanh, their argument, the sum and the products',
  );

/**
 * Σ(x − mean)², in two passes: the error of the mean is that of its sum, a deviation has the same error, its square twice that.
 * No deviation exceeds twice the largest operand.
 */
export const squaredDeviations =
  (length: number): LimitOf =>
  (expected, [x]) => {
    const largest = 2 * largestOf(x);
    return perElement(
      expected,
      (_, unit) => (2 * length + 12) * unit * largest ** 2,
      `${2 * length + 12} roundings of the largest square`,
    );
  };

/**
 * Weights exp(x − max)/Σ: `spread`, the largest distance of an element below the maximum, multiplies the rounding of the
 * difference and exp's 3 + 2·|x| ulp; both count twice, for the weight and for the sum.
 */
export const softmaxWeights =
  (length: number, spread: number): LimitOf =>
  (expected) =>
    perElement(
      expected,
      (i, unit) => softmaxRoundings(length, spread) * unit * expected.data[i],
      'WGSL’s exp and division, the sum and the shift by the maximum',
    );

/** Relative error of a softmax weight in unit round-offs. */
export const softmaxRoundings = (length: number, spread: number): number => 20 + length + 10 * spread;

/** log Σ exp(x − max) + max: the sum's relative error is the logarithm's absolute one, to which WGSL adds 8 round-offs. */
export const logOfSum =
  (length: number, spread: number): LimitOf =>
  (expected, [x]) =>
    perElement(
      expected,
      (i, unit) =>
        (14 + length + 5 * spread + 8 * (Math.abs(expected.data[i]) + Math.min(largestOf(x), spread))) * unit,
      'WGSL’s exp and log, the sum and the shift by the maximum',
    );

/** `count` ulp plus `units` unit round-offs of the dtype. */
export function ulpsAndUnits(count: number, units: number): LimitOf {
  return ({ dtype }) => ulps(count, units * unitRoundOff(dtype));
}

/**
 * Sums of `length` products or terms: their roundings, relative to the same formula of the operands' absolute values. Exact for integers.
 */
export const summed =
  (formula: Formula, length: number, more = 1): LimitOf =>
  ({ dtype }, operands, output) =>
    isFloat(dtype) ? roundOff(dtype, length, referenceOf(formula, operands.map(magnitude))[output].data, more) : exact;

/** Absolute values of floats; other dtypes (indices, conditions) unchanged. */
export const magnitude = ({ data, shape, dtype }: HostArray): HostArray => ({
  data: isFloat(dtype) ? data.map(Math.abs) : data,
  shape,
  dtype,
});

/** A bound per element from its index and the unit round-off; results that underflow may be flushed to zero. */
export function perElement(
  { data, dtype }: HostArray,
  bound: (index: number, unit: number) => number,
  because: string,
): Limit {
  const unit = unitRoundOff(dtype);
  return bounded(
    Float64Array.from(data, (_, i) => bound(i, unit) + leastNormal(dtype)),
    because,
  );
}

/** The largest magnitude; 0 for an empty array. */
export function largestOf({ data }: HostArray): number {
  let largest = 0;
  for (const value of data) largest = Math.max(largest, Math.abs(value));
  return largest;
}

/** One unit in the last place of an element. */
export const unitAt = ({ dtype, data }: HostArray, index: number): number =>
  ulps(1).allowance(dtype, data[index], index);

/** The element of an operand that is broadcast to the element `index` of a result. */
function at(operand: HostArray, index: number, { shape }: HostArray): number {
  let [rest, position, stride] = [index, 0, 1];
  for (let axis = shape.length - 1, own = operand.shape.length - 1; axis >= 0; axis--, own--) {
    const along = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
    if (own < 0) continue;
    if (operand.shape[own] > 1) position += along * stride;
    stride *= operand.shape[own];
  }
  return operand.data[position];
}
