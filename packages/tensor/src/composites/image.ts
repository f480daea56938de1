import { OptionError, ShapeError } from '../errors.ts';
import { composite, type Composite } from '../graph/composite.ts';
import type { Attributes } from '../graph/operator.ts';
import type { Tensor } from '../graph/tensor.ts';
import { constant, ones } from '../operators/constant.ts';
import { conv2d } from '../operators/convolution.ts';
import { expand, reshape } from '../operators/movement.ts';
import { formatShape } from '../tensor/shape.ts';
import { mean } from './statistics.ts';

type Pair = readonly [number, number];
const pair = (value: number | Pair): Pair => (typeof value === 'number' ? [value, value] : value);

function checkImage(x: Tensor): void {
  if (x.rank !== 4) {
    throw new ShapeError(`${formatShape(x.shape)} is not a batch of images.`, {
      actual: x.shape,
      expected: '[batch, channels, height, width]',
    });
  }
}

interface UpsampleAttributes extends Attributes {
  /** Repetitions of every row and of every column. */
  readonly scales: Pair;
}

/** ONNX's Resize by integer factors, mode nearest: every pixel becomes a box of copies. */
export const UpsampleNearest: Composite<UpsampleAttributes> = composite<UpsampleAttributes>(
  'UpsampleNearest',
  ([x], { scales }) => {
    checkImage(x);
    if (scales.some((scale) => !Number.isInteger(scale) || scale < 1)) {
      throw new OptionError(`Scales ${formatShape(scales)} do not copy whole pixels.`, {
        actual: scales,
        expected: 'integers of 1 or more',
      });
    }
    const [batch, channels, height, width] = x.shape;
    const apart = reshape(x, [batch, channels, height, 1, width, 1]);
    const copied = expand(apart, [batch, channels, height, scales[0], width, scales[1]]);
    return reshape(copied, [batch, channels, height * scales[0], width * scales[1]]);
  },
);

interface AveragePoolAttributes extends Attributes {
  readonly kernelShape: Pair;
  readonly strides: Pair;
  /** top, left, bottom, right. */
  readonly pads: readonly number[];
  readonly dilations: Pair;
  /** Whether padding zeros count as elements. */
  readonly countIncludePad: boolean;
}

/** The mean of every window over a [batch, channels, height, width] image. */
export const AveragePool: Composite<AveragePoolAttributes> = composite<AveragePoolAttributes>(
  'AveragePool',
  ([x], attributes) => {
    checkImage(x);
    return tiles(x, attributes) ? meanOfTiles(x, attributes.kernelShape) : meanOfWindows(x, attributes);
  },
);

/** Whether windows cover the image without gap or overlap. */
function tiles(x: Tensor, { kernelShape, strides, pads, dilations }: AveragePoolAttributes): boolean {
  return [0, 1].every(
    (i) =>
      kernelShape[i] === strides[i] &&
      dilations[i] === 1 &&
      pads[i] === 0 &&
      pads[i + 2] === 0 &&
      x.shape[i + 2] % kernelShape[i] === 0,
  );
}

function meanOfTiles(x: Tensor, kernelShape: Pair): Tensor {
  const [batch, channels, height, width] = x.shape;
  return mean(
    reshape(x, [batch, channels, height / kernelShape[0], kernelShape[0], width / kernelShape[1], kernelShape[1]]),
    [3, 5],
  );
}

/** Window sums by a convolution with ones, each channel a separate image, divided by the number of elements in each window. */
function meanOfWindows(x: Tensor, attributes: AveragePoolAttributes): Tensor {
  const { kernelShape, strides, pads, dilations } = attributes;
  const [batch, channels, height, width] = x.shape;
  const sums = conv2d(reshape(x, [batch * channels, 1, height, width]), ones([1, 1, ...kernelShape], x.dtype), {
    stride: strides,
    padding: pads as [number, number, number, number],
    dilation: dilations,
  });
  const [rows, columns] = sums.shape.slice(2);
  const counts = [rows, columns].map((count, i) =>
    Array.from({ length: count }, (_, position) => elementsAt(position, i, x.shape[i + 2], attributes)),
  );
  const shares = counts[0].map((down) => counts[1].map((across) => 1 / (down * across)));
  return reshape(sums.mul(constant(shares, x.dtype)), [batch, channels, rows, columns]);
}

/** Number of elements along one axis that the window at `position` averages over. */
function elementsAt(
  position: number,
  axis: number,
  extent: number,
  { kernelShape, strides, pads, dilations, countIncludePad }: AveragePoolAttributes,
): number {
  if (countIncludePad) return kernelShape[axis];
  const start = position * strides[axis] - pads[axis];
  let count = 0;
  for (let tap = 0; tap < kernelShape[axis]; tap++) {
    const index = start + tap * dilations[axis];
    if (index >= 0 && index < extent) count++;
  }
  return count;
}

/** Copies every pixel of [batch, channels, height, width] `scale` times down and across (one number, or [down, across]). */
export const upsampleNearest2d = (x: Tensor, scale: number | Pair = 2): Tensor =>
  UpsampleNearest([x], { scales: pair(scale) })[0];

export interface AveragePoolOptions {
  /** Step between windows, one number or [vertical, horizontal]. Default: the kernel, so that windows tile the image. */
  readonly stride?: number | Pair;
  /** Zeros around the image: one number, [vertical, horizontal], or [top, left, bottom, right]. Default 0. */
  readonly padding?: number | Pair | readonly [number, number, number, number];
  readonly dilation?: number | Pair;
  /** Whether padding zeros count as elements, as in PyTorch by default. Default false, as in ONNX. */
  readonly countPadding?: boolean;
}

/** Means over windows of `kernel` pixels of [batch, channels, height, width]. */
export function averagePool2d(
  x: Tensor,
  kernel: number | Pair,
  { stride = kernel, padding = 0, dilation = 1, countPadding = false }: AveragePoolOptions = {},
): Tensor {
  const around = typeof padding === 'number' ? [padding, padding] : padding;
  return AveragePool([x], {
    kernelShape: pair(kernel),
    strides: pair(stride),
    pads: around.length === 2 ? [...around, ...around] : around,
    dilations: pair(dilation),
    countIncludePad: countPadding,
  })[0];
}
