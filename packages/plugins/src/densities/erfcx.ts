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
} from '@flow-matching/tensor';

/** Coefficients of W. J. Cody's "Rational Chebyshev approximation for the error function", Math. Comp. 23 (1969), lowest power first. */
const middle = {
  numerator: [
    1230.3393547979972, 2051.0783778260716, 1712.0476126340707, 881.952221241769, 298.6351381974001, 66.11919063714163,
    8.883149794388377, 0.5641884969886701, 2.1531153547440383e-8,
  ],
  denominator: [
    1230.3393548037495, 3439.3676741437216, 4362.619090143247, 3290.7992357334597, 1621.3895745666903,
    537.1811018620099, 117.6939508913125, 15.744926110709835, 1,
  ],
};
/** In powers of 1/x². */
const tail = {
  numerator: [
    0.0006587491615298378, 0.016083785148742275, 0.12578172611122926, 0.36034489994980445, 0.30532663496123236,
    0.016315387137302097,
  ],
  denominator: [
    0.0023352049762686918, 0.06051834131244132, 0.5279051029514285, 1.8729528499234673, 2.568520192289822, 1,
  ],
};

const polynomial = (x: Tensor, coefficients: readonly number[]): Tensor =>
  coefficients
    .slice(0, -1)
    .reduceRight<Tensor>((sum, coefficient) => add(sum.mul(x), coefficient), x.mul(0).add(coefficients.at(-1)!));

const rational = (x: Tensor, { numerator, denominator }: typeof middle): Tensor =>
  div(polynomial(x, numerator), polynomial(x, denominator));

/** Each approximation is evaluated on its range and clamped elsewhere, so that no branch overflows. */
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
