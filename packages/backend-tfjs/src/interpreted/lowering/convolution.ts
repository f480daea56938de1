import * as core from '@flow-matching/tensor';
import type { ConvAttributes } from '@flow-matching/tensor';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Operations } from '../operations.ts';
import { float, lowering, type Lowering } from './lowering.ts';

// Kernels take images as [batch, height, width, channels] and filters as [height, width, in, out].
const toChannelsLast = [0, 2, 3, 1];
const toChannelsFirst = [0, 3, 1, 2];
const toFilterLast = [2, 3, 1, 0];

const axesOfImage = [0, 1] as const;

/**
 * The three convolutions, one group at a time. Both gradients use operations that are fast on every engine: that of the input
 * is a convolution with the reversed filter, that of the weight one product for each of its positions.
 */
export const convolution: readonly Lowering[] = [
  lowering(core.Conv, float, (operations, [x, w], { attributes }) => {
    const { strides, pads, dilations, group } = attributes;
    const images = groups(operations, operations.transpose(x, toChannelsLast), group, 3);
    const filters = groups(operations, operations.transpose(w, toFilterLast), group, 3);
    const around = [
      [0, 0],
      [pads[0], pads[2]],
      [pads[1], pads[3]],
      [0, 0],
    ];
    const parts = images.map((image, i) => convolved(operations, image, filters[i], { strides, dilations, around }));
    return operations.transpose(operations.concat(parts, 3), toChannelsFirst);
  }),

  lowering(
    core.ConvInputGradient,
    float,
    (operations, [g, w], { inputs: [, weight], attributes }) => {
      const { strides, pads, dilations, group, shape } = attributes;
      const cotangents = groups(operations, operations.transpose(g, toChannelsLast), group, 3);
      const filters = groups(operations, w, group, 0);
      const kernel = weight.shape.slice(2);
      const parts = cotangents.map((cotangent, i) => {
        const spread = spreadOut(operations, cotangent, strides);
        // Beyond the edge, the filter reads 0; positions in the padding are not computed.
        const before = axesOfImage.map((axis) => dilations[axis] * (kernel[axis] - 1) - pads[axis]);
        const after = axesOfImage.map(
          (axis) => shape[axis + 2] - spread.shape[axis + 1] - before[axis] + dilations[axis] * (kernel[axis] - 1),
        );
        const fitted = resized(operations, spread, before, after);
        const turned = operations.run('Reverse', { x: filters[i] }, { dims: [2, 3] });
        // From [out, in, height, width] to [height, width, out, in].
        const filter = operations.transpose(turned, [2, 3, 0, 1]);
        return convolved(operations, fitted, filter, { strides: [1, 1], dilations, around: noPadding });
      });
      return operations.transpose(operations.concat(parts, 3), toChannelsFirst);
    },
    'convolutions',
  ),

  lowering(
    core.ConvWeightGradient,
    float,
    (operations, [x, g], { inputs: [, cotangent], outputs, attributes }) => {
      const { strides, pads, dilations, group } = attributes;
      const [{ shape }] = outputs;
      const [filters, depth, height, width] = [shape[0] / group, ...shape.slice(1)];
      const [batch, , rows, columns] = cotangent.shape;
      const places = batch * rows * columns;
      const padded = operations.pad(operations.transpose(x, toChannelsLast), [
        [0, 0],
        [pads[0], pads[2]],
        [pads[1], pads[3]],
        [0, 0],
      ]);
      const images = groups(operations, padded, group, 3);
      const cotangents = groups(operations, operations.transpose(g, [1, 0, 2, 3]), group, 0);
      const parts = images.map((image, i) => {
        const left = operations.reshape(cotangents[i], [1, filters, places]);
        const taps = positions(height, width).map(([down, across]) => {
          const met = every(operations, image, [down * dilations[0], across * dilations[1]], strides, [rows, columns]);
          return operations.product(left, operations.reshape(met, [1, places, depth]));
        });
        const stacked = operations.concat(taps, 0);
        // From [height · width, out, in] to [out, in, height · width].
        return operations.reshape(operations.transpose(stacked, [1, 2, 0]), [filters, depth, height, width]);
      });
      return operations.concat(parts, 0);
    },
    'products',
  ),
];

const noPadding = [
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
];

function convolved(
  operations: Operations,
  x: TensorInfo,
  filter: TensorInfo,
  { strides, dilations, around }: Pick<ConvAttributes, 'strides' | 'dilations'> & { readonly around: number[][] },
): TensorInfo {
  return operations.run(
    'Conv2D',
    { x, filter },
    { strides: [...strides], dilations: [...dilations], pad: around, dataFormat: 'NHWC' },
  );
}

/** Equal parts along an axis, one per group. */
function groups(operations: Operations, x: TensorInfo, count: number, axis: number): TensorInfo[] {
  if (count === 1) return [x];
  const each = x.shape[axis] / count;
  return Array.from({ length: count }, (_, i) =>
    operations.slice(
      x,
      x.shape.map((__, other) => (other === axis ? i * each : 0)),
      x.shape.map((extent, other) => (other === axis ? each : extent)),
    ),
  );
}

/** Images [batch, height, width, channels] with zeros between their elements, as many as the stride skipped. */
function spreadOut(operations: Operations, x: TensorInfo, [down, across]: readonly number[]): TensorInfo {
  if (down === 1 && across === 1) return x;
  const [batch, height, width, channels] = x.shape;
  // Zeros after each row, then after each column; those after the last are removed.
  const rows = operations.pad(operations.reshape(x, [batch * height, 1, width * channels]), [
    [0, 0],
    [0, down - 1],
    [0, 0],
  ]);
  const columns = operations.pad(operations.reshape(rows, [batch * height * down * width, 1, channels]), [
    [0, 0],
    [0, across - 1],
    [0, 0],
  ]);
  return operations.slice(
    operations.reshape(columns, [batch, height * down, width * across, channels]),
    [0, 0, 0, 0],
    [batch, (height - 1) * down + 1, (width - 1) * across + 1, channels],
  );
}

/** Images with zeros added before and after their rows and columns, or with rows and columns removed if the number is negative. */
function resized(
  operations: Operations,
  x: TensorInfo,
  before: readonly number[],
  after: readonly number[],
): TensorInfo {
  const padding = axesOfImage.map((axis) => [Math.max(before[axis], 0), Math.max(after[axis], 0)] as const);
  const padded = operations.pad(x, [[0, 0], ...padding, [0, 0]]);
  const [batch, height, width, channels] = padded.shape;
  const begin = before.map((zeros) => Math.max(-zeros, 0));
  const size = [height, width].map((extent, axis) => extent - begin[axis] - Math.max(-after[axis], 0));
  return operations.slice(padded, [0, ...begin, 0], [batch, ...size, channels]);
}

const positions = (height: number, width: number): (readonly [number, number])[] =>
  Array.from({ length: height * width }, (_, i) => [Math.floor(i / width), i % width] as const);

/** A strided slice of images: from `begin`, with `strides`, and `counts` elements vertically and horizontally. */
function every(
  operations: Operations,
  x: TensorInfo,
  begin: readonly number[],
  strides: readonly number[],
  counts: readonly number[],
): TensorInfo {
  const [batch, , , channels] = x.shape;
  if (strides.every((stride) => stride === 1)) {
    return operations.slice(x, [0, ...begin, 0], [batch, ...counts, channels]);
  }
  const ends = axesOfImage.map((axis) => begin[axis] + (counts[axis] - 1) * strides[axis] + 1);
  return operations.stridedSlice(x, [0, ...begin, 0], [batch, ...ends, channels], [1, ...strides, 1]);
}
