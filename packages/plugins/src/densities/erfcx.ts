import {
  add,
  composite,
  div,
  erf,
  exp,
  maximum,
  minimum,
  less,
  reciprocal,
  where,
  type Tensor,
} from '@flow-matching/core';

/** Coefficients of W. J. Cody's "Rational Chebyshev approximation for the error function", Math. Comp. 23 (1969), lowest power first. */
const middle = {
  numerator: [
    1.23033935479799725e3, 2.05107837782607147e3, 1.71204761263407058e3, 8.8195222124176909e2, 2.98635138197400131e2,
    6.61191906371416295e1, 8.88314979438837594, 5.64188496988670089e-1, 2.15311535474403846e-8,
  ],
  denominator: [
    1.23033935480374942e3, 3.43936767414372164e3, 4.36261909014324716e3, 3.29079923573345963e3, 1.62138957456669019e3,
    5.37181101862009858e2, 1.17693950891312499e2, 1.57449261107098347e1, 1,
  ],
};
/** In powers of 1/x². */
const tail = {
  numerator: [
    6.58749161529837803e-4, 1.60837851487422766e-2, 1.25781726111229246e-1, 3.60344899949804439e-1,
    3.05326634961232344e-1, 1.63153871373020978e-2,
  ],
  denominator: [
    2.33520497626869185e-3, 6.05183413124413191e-2, 5.27905102951428412e-1, 1.87295284992346725, 2.56852019228982242, 1,
  ],
};

const polynomial = (x: Tensor, coefficients: readonly number[]): Tensor =>
  coefficients
    .slice(0, -1)
    .reduceRight<Tensor>((sum, coefficient) => add(sum.mul(x), coefficient), x.mul(0).add(coefficients.at(-1)!));

const rational = (x: Tensor, { numerator, denominator }: typeof middle): Tensor =>
  div(polynomial(x, numerator), polynomial(x, denominator));

/** Each range is evaluated where it holds and clamped elsewhere, so that no branch overflows. */
const Erfcx = composite('Erfcx', ([x]) => {
  const [small, medium, large] = [minimum(x, 0.5), minimum(maximum(x, 0.46875), 4), maximum(x, 4)];
  const inverseSquare = reciprocal(large.square());
  const correction = rational(inverseSquare, tail).mul(inverseSquare);
  const asymptotic = correction
    .neg()
    .add(1 / Math.sqrt(Math.PI))
    .div(large);
  const near = exp(small.square()).mul(erf(small).neg().add(1));
  return where(less(x, 0.46875), near, where(less(x, 4), rational(medium, middle), asymptotic));
});

/** exp(x²)·(1 − erf x) for x ≥ 0: the Gaussian tail without its underflow. */
export const erfcx = (x: Tensor): Tensor => Erfcx([x], {})[0];
