import { OptionError } from '../errors.ts';
import { composite, type Composite } from '../graph/composite.ts';
import type { Attributes } from '../graph/operator.ts';
import type { Tensor } from '../graph/tensor.ts';
import { add, div, mul, sqrt } from '../operators/arithmetic.ts';
import { ones } from '../operators/constant.ts';
import { reshape } from '../operators/movement.ts';
import { normalizeAxis } from '../tensor/shape.ts';
import { mean } from './statistics.ts';

/** x with mean 0 and variance 1 over `axes`, up to `epsilon`. */
function standardize(x: Tensor, axes: readonly number[], epsilon: number): Tensor {
  const deviation = x.sub(mean(x, axes, { keepdims: true }));
  return div(deviation, sqrt(mean(deviation.square(), axes, { keepdims: true }).add(epsilon)));
}

interface LayerNormAttributes extends Attributes {
  /** The first of the normalized axes. */
  readonly axis: number;
  readonly epsilon: number;
}

/** (x, scale?, bias?) → x standardized over the axes from `axis` on, times scale, plus bias. */
export const LayerNormalization: Composite<LayerNormAttributes> = composite<LayerNormAttributes>(
  'LayerNormalization',
  ([x, scale, bias], { axis, epsilon }) => {
    const axes = x.shape.flatMap((_, i) => (i >= axis ? [i] : []));
    return affine(standardize(x, axes, epsilon), scale, bias);
  },
);

interface GroupNormAttributes extends Attributes {
  readonly numGroups: number;
  readonly epsilon: number;
}

/** (x [batch, channels, …], scale? [channels], bias? [channels]) → x standardized per sample and group of channels, scaled and shifted. */
export const GroupNormalization: Composite<GroupNormAttributes> = composite<GroupNormAttributes>(
  'GroupNormalization',
  ([x, scale, bias], { numGroups, epsilon }) => {
    const [batch, channels] = x.shape;
    if (x.rank < 2 || !Number.isInteger(numGroups) || numGroups < 1 || channels % numGroups !== 0) {
      throw new OptionError(`${numGroups} groups do not divide the channels.`, {
        actual: numGroups,
        expected: x.rank < 2 ? 'a tensor [batch, channels, …]' : `a divisor of ${channels}`,
      });
    }
    const grouped = reshape(x, [batch, numGroups, x.size / (batch * numGroups)]);
    const perChannel = (parameter: Tensor | undefined): Tensor | undefined =>
      parameter && reshape(parameter, [channels, ...x.shape.slice(2).map(() => 1)]);
    return affine(reshape(standardize(grouped, [2], epsilon), x.shape), perChannel(scale), perChannel(bias));
  },
);

function affine(x: Tensor, scale: Tensor | undefined, bias: Tensor | undefined): Tensor {
  const scaled = scale ? mul(x, scale) : x;
  return bias ? add(scaled, bias) : scaled;
}

/** Inputs are positional: a bias needs a scale before it. */
function operands(x: Tensor, scale: Tensor | undefined, bias: Tensor | undefined): Tensor[] {
  if (!bias) return scale ? [x, scale] : [x];
  return [x, scale ?? ones(bias.shape, bias.dtype), bias];
}

export interface NormalizationOptions {
  /** Multiplies the standardized values. Default 1. */
  readonly scale?: Tensor;
  /** Added after scaling. Default 0. */
  readonly bias?: Tensor;
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: number;
}

export interface LayerNormOptions extends NormalizationOptions {
  /** The first of the normalized axes, which include all later ones. Default −1. */
  readonly axis?: number;
}

/** Layer normalization (Ba et al., arXiv 1607.06450); scale and bias have the shape of the normalized axes. */
export function layerNorm(x: Tensor, { scale, bias, axis = -1, epsilon = 1e-5 }: LayerNormOptions = {}): Tensor {
  return LayerNormalization(operands(x, scale, bias), { axis: normalizeAxis(axis, x.rank), epsilon })[0];
}

/** Group normalization (Wu & He, arXiv 1803.08494) of [batch, channels, …]; scale and bias are [channels]. */
export function groupNorm(
  x: Tensor,
  groups: number,
  { scale, bias, epsilon = 1e-5 }: NormalizationOptions = {},
): Tensor {
  return GroupNormalization(operands(x, scale, bias), { numGroups: groups, epsilon })[0];
}
