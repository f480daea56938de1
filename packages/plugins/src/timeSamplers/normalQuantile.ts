import { log, maximum, minimum, sqrt, where, type Tensor } from '@flow-matching/tensor';

/** Coefficients of M. J. Wichura's algorithm AS 241 (PPND16), Applied Statistics 37 (1988), lowest power first. */
const central = {
  numerator: [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087,
    33430.57558358813, 2509.0809287301227,
  ],
  denominator: [
    1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
    28729.085735721943, 5226.495278852546,
  ],
};
const tail = {
  numerator: [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
    0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
  ],
  denominator: [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
    0.0005475938084995345, 1.0507500716444169e-9,
  ],
};

const polynomial = (x: Tensor, coefficients: readonly number[]): Tensor =>
  coefficients
    .slice(0, -1)
    .reduceRight<Tensor>((sum, coefficient) => sum.mul(x).add(coefficient), x.mul(0).add(coefficients.at(-1)!));
const rational = (x: Tensor, { numerator, denominator }: typeof central): Tensor =>
  polynomial(x, numerator).div(polynomial(x, denominator));

/** Half a step of the grid on which uniforms are drawn. */
const smallest = 2 ** -25;

/**
 * Φ⁻¹(u), the standard normal quantile, accurate to 1 part in 10¹⁶ in exact arithmetic. Uniforms closer to 0 or 1 than 2⁻²⁵ are
 * clamped to that distance, so the result is finite: within ±5.42.
 */
export function normalQuantile(u: Tensor): Tensor {
  const q = u.sub(0.5);
  const middle = q.mul(rational(q.square().neg().add(0.180625), central));
  // 1 − u is exact on the grid, so the upper tail is as accurate as the lower.
  const share = maximum(minimum(u, u.neg().add(1)), smallest);
  const outer = rational(sqrt(log(minimum(share, 0.5)).neg()).sub(1.6), tail);
  return where(q.abs().lessOrEqual(0.425), middle, where(q.less(0), outer.neg(), outer));
}
