import * as core from '@flow-matching/tensor';
import type { ConvAttributes, DType, Shape } from '@flow-matching/tensor';
import type { DataType } from '../../generated/saved_model_pb.ts';
import { dataType, filled, indexType, type GraphWriter, type NodeAttributes, type Value } from '../graphWriter.ts';
import { float, lowering, type Lowering } from './lowering.ts';

// TensorFlow on CPUs takes images as [batch, height, width, channels] and filters as [height, width, in, out].
const toChannelsLast = [0, 2, 3, 1];
const toChannelsFirst = [0, 3, 1, 2];
const toFilterLast = [2, 3, 1, 0];
const toFilterFirst = [3, 2, 0, 1];

const permuted = (shape: Shape, perm: readonly number[]): number[] => perm.map((axis) => shape[axis]);

/**
 * The three convolutions. Groups are convolved one at a time; dilated kernels get zeros between their elements, because the
 * gradients do not support dilation on a CPU.
 */
export const convolution: readonly Lowering[] = [
  lowering(core.Conv, float, (write, [x, w], { inputs: [input, weight], attributes }) => {
    const kernel = new Kernels(write, weight.shape, weight.dtype, attributes);
    const images = kernel.groupsOf(kernel.transposed(x, toChannelsLast), permuted(input.shape, toChannelsLast), 3);
    const filters = kernel.groupsOf(kernel.transposed(w, toFilterLast), permuted(weight.shape, toFilterLast), 3);
    const parts = images.map((image, i) =>
      write.typed('Conv2D', kernel.type, [image, kernel.spread(filters[i])], kernel.attributes),
    );
    return kernel.transposed(kernel.joined(parts), toChannelsFirst);
  }),

  lowering(core.ConvInputGradient, float, (write, [g, w], { inputs: [cotangent, weight], attributes }) => {
    const kernel = new Kernels(write, weight.shape, weight.dtype, attributes);
    const cotangents = kernel.groupsOf(
      kernel.transposed(g, toChannelsLast),
      permuted(cotangent.shape, toChannelsLast),
      3,
    );
    const filters = kernel.groupsOf(kernel.transposed(w, toFilterLast), permuted(weight.shape, toFilterLast), 3);
    const [batch, height, width] = permuted(attributes.shape, toChannelsLast);
    const sizes = write.integers([batch, height, width, weight.shape[1]]);
    const parts = cotangents.map((part, i) =>
      write.typed('Conv2DBackpropInput', kernel.type, [sizes, kernel.spread(filters[i]), part], kernel.attributes),
    );
    return kernel.transposed(kernel.joined(parts), toChannelsFirst);
  }),

  lowering(core.ConvWeightGradient, float, (write, [x, g], { inputs: [input, cotangent], outputs, attributes }) => {
    const [{ shape, dtype }] = outputs;
    if (cotangent.size === 0) return filled(write, 0, shape, dtype);
    const kernel = new Kernels(write, shape, dtype, attributes);
    const images = kernel.groupsOf(kernel.transposed(x, toChannelsLast), permuted(input.shape, toChannelsLast), 3);
    const cotangents = kernel.groupsOf(
      kernel.transposed(g, toChannelsLast),
      permuted(cotangent.shape, toChannelsLast),
      3,
    );
    const sizes = write.integers([...kernel.extents, shape[1], shape[0] / attributes.group]);
    const parts = images.map((image, i) =>
      kernel.gathered(
        write.typed('Conv2DBackpropFilter', kernel.type, [image, sizes, cotangents[i]], kernel.attributes),
      ),
    );
    return kernel.transposed(kernel.joined(parts), toFilterFirst);
  }),
];

/** Common parts of the three convolutions: a kernel for a weight [out, in / group, height, width], and the splitting of images and filters. */
class Kernels {
  readonly type: DataType;
  readonly attributes: NodeAttributes;
  /** Height and width with the zeros between elements. */
  readonly extents: readonly [number, number];
  readonly #write: GraphWriter;
  readonly #dtype: DType;
  readonly #group: number;
  readonly #dilations: readonly number[];
  /** [height, width, in / group, out / group]. */
  readonly #filter: Shape;

  constructor(write: GraphWriter, weight: Shape, dtype: DType, { strides, pads, dilations, group }: ConvAttributes) {
    this.#write = write;
    this.#dtype = dtype;
    this.#group = group;
    this.#dilations = dilations;
    this.type = dataType[dtype];
    const [out, depth, height, width] = weight;
    this.#filter = [height, width, depth, out / group];
    this.extents = [dilations[0] * (height - 1) + 1, dilations[1] * (width - 1) + 1];
    this.attributes = {
      strides: { ints: [1, ...strides, 1] },
      padding: { text: 'EXPLICIT' },
      explicit_paddings: { ints: [0, 0, pads[0], pads[2], pads[1], pads[3], 0, 0] },
      dilations: { ints: [1, 1, 1, 1] },
      data_format: { text: 'NHWC' },
      use_cudnn_on_gpu: { bool: true },
    };
  }

  transposed(x: Value, perm: readonly number[]): Value {
    return this.#write.typed('Transpose', this.type, [x, this.#write.integers(perm)], { Tperm: indexType });
  }

  /** Equal parts along an axis, one per group. */
  groupsOf(x: Value, shape: Shape, axis: number): Value[] {
    if (this.#group === 1) return [x];
    const each = shape[axis] / this.#group;
    return Array.from({ length: this.#group }, (_, i) => {
      const begin = shape.map((__, other) => (other === axis ? i * each : 0));
      const size = shape.map((extent, other) => (other === axis ? each : extent));
      return this.#write.typed('Slice', this.type, [x, this.#write.integers(begin), this.#write.integers(size)], {
        Index: indexType,
      });
    });
  }

  /** Concatenates parts along the last axis. */
  joined(parts: readonly Value[]): Value {
    if (parts.length === 1) return parts[0];
    return this.#write.typed('ConcatV2', this.type, [...parts, this.#write.scalar(3, 'i32')], {
      N: { int: parts.length },
      Tidx: indexType,
    });
  }

  /** A filter with zeros between its elements for its dilation. */
  spread(filter: Value): Value {
    if (this.#dilations.every((dilation) => dilation === 1)) return filter;
    const [height, width, depth, out] = this.#filter;
    const [down, across] = this.#dilations;
    const apart = this.#reshaped(filter, [height, 1, width, 1, depth, out]);
    const table = this.#write.table([
      [0, 0],
      [0, down - 1],
      [0, 0],
      [0, across - 1],
      [0, 0],
      [0, 0],
    ]);
    const padded = this.#write.typed('PadV2', this.type, [apart, table, this.#write.scalar(0, this.#dtype)], {
      Tpaddings: indexType,
    });
    const whole = this.#reshaped(padded, [height * down, width * across, depth, out]);
    return this.#write.typed(
      'Slice',
      this.type,
      [whole, this.#write.integers([0, 0, 0, 0]), this.#write.integers([...this.extents, depth, out])],
      { Index: indexType },
    );
  }

  /** The elements of a filter without the zeros of its dilation. */
  gathered(filter: Value): Value {
    if (this.#dilations.every((dilation) => dilation === 1)) return filter;
    const [, , depth, out] = this.#filter;
    const bounds = [
      [0, 0, 0, 0],
      [...this.extents, depth, out],
      [...this.#dilations, 1, 1],
    ];
    return this.#write.typed('StridedSlice', this.type, [filter, ...bounds.map((each) => this.#write.integers(each))], {
      Index: indexType,
    });
  }

  #reshaped(x: Value, shape: Shape): Value {
    return this.#write.typed('Reshape', this.type, [x, this.#write.integers(shape)], { Tshape: indexType });
  }
}
