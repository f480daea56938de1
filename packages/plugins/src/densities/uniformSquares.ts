import { type Path } from '@flow-matching/core';
import {
  constant,
  div,
  erf,
  exp,
  less,
  log,
  logSumExp,
  maximum,
  minimum,
  OptionError,
  sign,
  softmax,
  where,
  type Tensor,
} from '@flow-matching/tensor';
import { erfcx } from './erfcx.ts';
import { gaussLegendre } from './gaussLegendre.ts';
import { scaleAndStd, type MarginalDensity } from './marginalDensity.ts';

export interface UniformSquaresOptions {
  /** [count, dimension]. The squares (cubes, …) must not overlap. */
  readonly centres: readonly (readonly number[])[];
  /** Half the length of a side. */
  readonly halfWidth: number;
}

/**
 * Uniform on axis-aligned squares of one size. Under a path N(a·x1, σ² I) the square around c spreads to a product over
 * dimensions of ½∫ N(x; a·(c + r·w), σ²) dw, w from −1 to 1: differences of error functions.
 *
 * @throws OptionError if there are no squares, or centres differ in dimension.
 */
export function uniformSquares({ centres, halfWidth }: UniformSquaresOptions): MarginalDensity {
  const dimension = centres[0]?.length ?? 0;
  if (dimension === 0 || centres.some((centre) => centre.length !== dimension) || !(halfWidth > 0)) {
    throw new OptionError('The squares do not fit.', {
      actual: { centres, halfWidth },
      expected: 'one centre or more, all of one dimension, and a positive half width',
    });
  }
  const centre = constant([centres]);

  /** Common parts of all three quantities, each [batch, squares, dimension] except `logJoint` and `average`. */
  const parts = (path: Path, t: Tensor, x: Tensor) => {
    const { scale, std, scaleRate, stdRate } = scaleAndStd(path, t);
    const offset = x.reshape([-1, 1, dimension]).sub(centre.mul(scale)).div(std);
    const { logMass, place, noise } = spreadInterval(offset, scale.mul(halfWidth).div(std).expand(offset.shape));
    const logJoint = logMass.sub(log(std)).sum(2, { keepdims: true }).sub(Math.log(centres.length));
    const average = (perSquare: Tensor): Tensor => softmax(logJoint, 1).mul(perSquare).sum(1);
    return { std, scaleRate, stdRate, data: centre.add(place.mul(halfWidth)), noise, logJoint, average };
  };

  return {
    dimension,
    logDensity: (path, t, x) => logSumExp(parts(path, t, x).logJoint, [1, 2]),
    field(path, t, x) {
      const { scaleRate, stdRate, data, noise, average } = parts(path, t, x);
      return average(data.mul(scaleRate).add(noise.mul(stdRate)));
    },
    score(path, t, x) {
      const { std, noise, average } = parts(path, t, x);
      return average(noise.div(std).neg());
    },
  };
}

/**
 * The one-dimensional case in standard units: ζ = κw + z with w uniform on [−1, 1] and z standard normal. The logarithm of ζ's
 * density, and the means of w and z given ζ.
 */
interface SpreadInterval {
  readonly logMass: Tensor;
  readonly place: Tensor;
  readonly noise: Tensor;
}

/** Below this κ, differences of error functions cancel and are replaced by quadrature over w. */
const narrow = 0.5;

function spreadInterval(offset: Tensor, reach: Tensor): SpreadInterval {
  const isNarrow = less(reach, narrow);
  const a = spreadNarrow(offset, minimum(reach, narrow));
  const b = spreadWide(offset, maximum(reach, narrow));
  return {
    logMass: where(isNarrow, a.logMass, b.logMass),
    place: where(isNarrow, a.place, b.place),
    noise: where(isNarrow, a.noise, b.noise),
  };
}

const logRootTwoPi = 0.5 * Math.log(2 * Math.PI);
/** Sufficient for the polynomial part of the exponential at κ = ½, ten standard deviations out. */
const { nodes, weights } = gaussLegendre(20);

function spreadNarrow(offset: Tensor, reach: Tensor): SpreadInterval {
  const kept = [...offset.shape, 1];
  const places = constant(nodes);
  const logWeights = constant(weights.map((weight) => Math.log(weight / 2)));
  const noise = offset.reshape(kept).sub(reach.reshape(kept).mul(places));
  const logTerms = noise.square().mul(-0.5).sub(logRootTwoPi).add(logWeights);
  const shares = softmax(logTerms);
  return { logMass: logSumExp(logTerms, -1), place: shares.mul(places).sum(-1), noise: shares.mul(noise).sum(-1) };
}

/**
 * With |ζ| in place of ζ, the ends of the interval are near = |ζ| − κ and far = |ζ| + κ. Everything is expressed by D = (Φ(far)
 * − Φ(near))/φ(near), which neither cancels nor underflows: inside the interval as a sum of two error functions, outside
 * through erfcx.
 */
function spreadWide(offset: Tensor, reach: Tensor): SpreadInterval {
  const distance = offset.abs();
  const [near, far] = [distance.sub(reach), distance.add(reach)];
  const decay = exp(distance.mul(reach).mul(-2));
  const outside = less(0, near);
  const [outer, inner] = [maximum(near, 0), minimum(near, 0)];
  const outerMills = erfcx(outer.mul(Math.SQRT1_2))
    .sub(decay.mul(erfcx(far.mul(Math.SQRT1_2))))
    .mul(Math.sqrt(Math.PI / 2));
  const innerMass = erf(far.mul(Math.SQRT1_2))
    .sub(erf(inner.mul(Math.SQRT1_2)))
    .mul(0.5);
  const logOuter = log(where(outside, outerMills, 1))
    .sub(outer.square().mul(0.5))
    .sub(logRootTwoPi);
  const logInner = log(where(outside, 1, innerMass));
  const logMass = where(outside, logOuter, logInner).sub(log(reach.mul(2)));
  const densityDrop = exp(inner.square().mul(-0.5).sub(logRootTwoPi)).sub(
    exp(far.square().mul(-0.5).sub(logRootTwoPi)),
  );
  const noise = where(
    outside,
    div(decay.neg().add(1), where(outside, outerMills, 1)),
    div(densityDrop, where(outside, 1, innerMass)),
  );
  return { logMass, place: distance.sub(noise).div(reach).mul(sign(offset)), noise: noise.mul(sign(offset)) };
}
