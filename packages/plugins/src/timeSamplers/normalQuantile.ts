import { log, maximum, minimum, sqrt, where, type Tensor } from '@flow-matching/core';

/** Coefficients of M. J. Wichura's algorithm AS 241 (PPND16), Applied Statistics 37 (1988), lowest power first. */
const central = {
  numerator: [
    3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125, 45921.953931549871457,
    67265.770927008700853, 33430.575583588128105, 2509.0809287301226727,
  ],
  denominator: [
    1, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867, 39307.89580009271061,
    28729.085735721942674, 5226.495278852545925,
  ],
};
const tail = {
  numerator: [
    1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504, 1.27045825245236838258,
    0.24178072517745061177, 0.0227238449892691845833, 7.7454501427834140764e-4,
  ],
  denominator: [
    1, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455, 0.14810397642748007459,
    0.0151986665636164571966, 5.475938084995344946e-4, 1.05075007164441684324e-9,
  ],
};

const polynomial = (x: Tensor, coefficients: readonly number[]): Tensor =>
  coefficients.slice(0, -1).reduceRight<Tensor>((sum, coefficient) => sum.mul(x).add(coefficient), x.mul(0).add(coefficients.at(-1)!));
const rational = (x: Tensor, { numerator, denominator }: typeof central): Tensor =>
  polynomial(x, numerator).div(polynomial(x, denominator));

/** Half a step of the grid on which uniforms are drawn. */
const smallest = 2 ** -25;

/**
 * Φ⁻¹(u), the standard normal quantile, accurate to 1 part in 10¹⁶ in exact arithmetic. Uniforms nearer to 0 or 1 than 2⁻²⁵ are
 * taken to be at that distance, so the result is finite: within ±5.42.
 */
export function normalQuantile(u: Tensor): Tensor {
  const q = u.sub(0.5);
  const middle = q.mul(rational(q.square().neg().add(0.180625), central));
  // 1 − u is exact on the grid, so the upper tail is as accurate as the lower.
  const share = maximum(minimum(u, u.neg().add(1)), smallest);
  const outer = rational(sqrt(log(minimum(share, 0.5)).neg()).sub(1.6), tail);
  return where(q.abs().lessOrEqual(0.425), middle, where(q.less(0), outer.neg(), outer));
}
