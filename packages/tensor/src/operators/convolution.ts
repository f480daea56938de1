import { OptionError, ShapeError } from '../errors.ts';
import { apply } from '../graph/node.ts';
import type { Attributes, Operator } from '../graph/operator.ts';
import type { Tensor } from '../graph/tensor.ts';
import { formatShape, type Shape, type TensorType } from '../tensor/shape.ts';
import { bilinear } from './archetypes.ts';

/** ONNX Conv's attributes for two spatial axes. */
export interface ConvAttributes extends Attributes {
  readonly strides: readonly number[];
  /** top, left, bottom, right. */
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
  readonly group: number;
}

interface GradientAttributes extends ConvAttributes {
  /** The shape of the tensor to differentiate with respect to. */
  readonly shape: Shape;
}

/** [batch, channels, height, width] × [filters, channels / group, kernelHeight, kernelWidth] → [batch, filters, height′, width′]. */
export const Conv: Operator<ConvAttributes> = bilinear<ConvAttributes>('Conv', inferConv, [
  (cotangent, w, x, attributes) => apply(ConvInputGradient, [cotangent, w], { ...attributes, shape: x.shape })[0],
  (cotangent, x, w, attributes) => apply(ConvWeightGradient, [x, cotangent], { ...attributes, shape: w.shape })[0],
]);

/** The cotangent of Conv's input from those of its output and its weight: (g, w) → shape of x. */
export const ConvInputGradient: Operator<GradientAttributes> = bilinear<GradientAttributes>(
  'ConvInputGradient',
  (g, w, attributes) => checkedGradient(g, attributes, attributes.shape, w.shape),
  [
    (cotangent, w, _, attributes) => apply(Conv, [cotangent, w], convAttributes(attributes))[0],
    (cotangent, g, w, attributes) => apply(ConvWeightGradient, [cotangent, g], { ...attributes, shape: w.shape })[0],
  ],
);

/** The cotangent of Conv's weight from its input and its output's cotangent: (x, g) → shape of w. */
export const ConvWeightGradient: Operator<GradientAttributes> = bilinear<GradientAttributes>(
  'ConvWeightGradient',
  (x, g, attributes) => checkedGradient(g, attributes, x.shape, attributes.shape),
  [
    (cotangent, g, x, attributes) => apply(ConvInputGradient, [g, cotangent], { ...attributes, shape: x.shape })[0],
    (cotangent, x, _, attributes) => apply(Conv, [x, cotangent], convAttributes(attributes))[0],
  ],
);

const convAttributes = ({ strides, pads, dilations, group }: ConvAttributes): ConvAttributes => ({
  strides,
  pads,
  dilations,
  group,
});

function checkedGradient(g: TensorType, attributes: GradientAttributes, x: Shape, w: Shape): TensorType {
  const output = inferConv({ shape: x, dtype: g.dtype }, { shape: w, dtype: g.dtype }, attributes);
  if (output.shape.join() !== g.shape.join()) {
    throw new ShapeError(`A cotangent of shape ${formatShape(g.shape)} does not fit.`, {
      actual: g.shape,
      expected: formatShape(output.shape),
    });
  }
  return { shape: attributes.shape, dtype: g.dtype };
}

function inferConv(x: TensorType, w: TensorType, { strides, pads, dilations, group }: ConvAttributes): TensorType {
  if (x.shape.length !== 4 || w.shape.length !== 4) {
    throw new ShapeError(
      `Conv takes two spatial axes, not input ${formatShape(x.shape)} and weight ${formatShape(w.shape)}.`,
      {
        actual: [x.shape, w.shape],
        expected: '[batch, channels, height, width] and [filters, channels / group, height, width]',
      },
    );
  }
  const valid =
    strides.length === 2 &&
    dilations.length === 2 &&
    pads.length === 4 &&
    [...strides, ...dilations, group].every((n) => Number.isInteger(n) && n >= 1) &&
    pads.every((n) => Number.isInteger(n) && n >= 0);
  if (!valid) {
    throw new OptionError('Convolution attributes are out of range.', {
      actual: { strides, pads, dilations, group },
      expected: 'two strides and two dilations of 1 or more, four pads of 0 or more, and a group count of 1 or more',
    });
  }
  const [batch, channels] = x.shape as [number, number];
  const [filters, depth] = w.shape as [number, number];
  if (depth * group !== channels || filters % group !== 0) {
    throw new ShapeError(
      `${channels} input channels and ${filters} filters of depth ${depth} do not fit ${group} group(s).`,
      {
        actual: [x.shape, w.shape],
        expected: 'channels = depth × group, and filters a multiple of group',
      },
    );
  }
  const spatial = [0, 1].map((i) => {
    const extent = x.shape[i + 2] + pads[i] + pads[i + 2];
    const reach = dilations[i] * (w.shape[i + 2] - 1) + 1;
    if (reach > extent) {
      throw new ShapeError(`A kernel that reaches over ${reach} elements does not fit ${extent}.`, {
        actual: w.shape,
        expected: `a reach of ${extent} or less`,
      });
    }
    return Math.floor((extent - reach) / strides[i]) + 1;
  });
  return { shape: [batch, filters, ...spatial], dtype: x.dtype };
}

export interface Conv2dOptions {
  /** Step between outputs, one number or [vertical, horizontal]. Default 1. */
  readonly stride?: number | readonly [number, number];
  /** Zeros around the input: one number, [vertical, horizontal], or [top, left, bottom, right]. Default 0. */
  readonly padding?: number | readonly [number, number] | readonly [number, number, number, number];
  readonly dilation?: number | readonly [number, number];
  readonly groups?: number;
  /** [filters], added to every output position. */
  readonly bias?: Tensor;
}

const pair = (value: number | readonly [number, number]): number[] =>
  typeof value === 'number' ? [value, value] : [...value];

/** 2-D convolution of x [batch, channels, height, width] with weight [filters, channels / groups, kernelHeight, kernelWidth]. */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  { stride = 1, padding = 0, dilation = 1, groups = 1, bias }: Conv2dOptions = {},
): Tensor {
  const around = typeof padding === 'number' ? [padding, padding] : [...padding];
  const y = apply(Conv, [x, weight], {
    strides: pair(stride),
    pads: around.length === 2 ? [...around, ...around] : around,
    dilations: pair(dilation),
    group: groups,
  })[0];
  return bias ? y.add(bias.reshape([1, bias.size, 1, 1])) : y;
}
