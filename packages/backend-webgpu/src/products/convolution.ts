import type { Node, Shape, Tensor, ConvAttributes } from '@flow-matching/tensor';
import type { KernelWriter } from '../compiler/kernelWriter.ts';
import {
  add,
  delinearize,
  divide,
  linearize,
  literal,
  scale,
  variable,
  type IndexExpression,
} from '../indexing/indexExpression.ts';
import { tensorOperand, type Operand } from './operand.ts';
import type { Product } from './product.ts';

interface Geometry {
  readonly x: Shape;
  readonly w: Shape;
  readonly y: Shape;
  readonly attributes: ConvAttributes;
}

const attributesOf = (node: Node): ConvAttributes => node.attributes as unknown as ConvAttributes;

/** Channels of one group of a tensor with channels on axis 1. */
const channel = (group: IndexExpression, within: IndexExpression, each: number): IndexExpression =>
  add(scale(group, each), within);

/** An element of an image at a position that may lie outside, where it is 0. */
function paddedElement(
  writer: KernelWriter,
  image: Tensor,
  [n, c]: readonly IndexExpression[],
  places: readonly IndexExpression[],
): string {
  const conditions: string[] = [];
  const index = places.map((place, axis) => {
    const extent = image.shape[axis + 2];
    if (place.least >= 0 && place.most < extent) return place;
    // A position before the image wraps around to a large number, so one comparison is enough.
    const moved = writer.assumed(place, Math.max(2, extent));
    conditions.push(`(${writer.index(moved)} < ${extent}u)`);
    return moved;
  });
  if (conditions.length === 0) return writer.value(image, [n, c, ...index]);
  return chosen(writer, image, [n, c, ...index], conditions);
}

/**
 * An element or 0. It is always read, within the buffer's bounds, and all conditions are computed: many branches, including
 * `&&`, take some compilers minutes.
 */
function chosen(
  writer: KernelWriter,
  image: Tensor,
  index: readonly IndexExpression[],
  conditions: readonly string[],
): string {
  const element = writer.value(image, index);
  return writer.let('v', `select(${writer.literal(0, image.dtype)}, ${element}, ${conditions.join(' & ')})`);
}

/** The input position for an output element and a kernel element, along both axes. */
const meeting = (
  { attributes: { strides, dilations, pads } }: Geometry,
  output: readonly IndexExpression[],
  kernel: readonly IndexExpression[],
): IndexExpression[] =>
  output.map((along, axis) =>
    add(scale(along, strides[axis]), scale(kernel[axis], dilations[axis]), literal(-pads[axis])),
  );

/** Conv: a group's filters are rows, the positions of all images columns, and the sum is over a filter's elements. */
export function convolution(node: Node): Product {
  const [image, weight] = node.inputs as [Tensor, Tensor];
  const geometry: Geometry = {
    x: image.shape,
    w: weight.shape,
    y: node.outputs[0].shape,
    attributes: attributesOf(node),
  };
  const { w, y } = geometry;
  const { group } = geometry.attributes;
  const [rows, columns, depth] = [w[0] / group, y[0] * y[2] * y[3], w[1] * w[2] * w[3]];
  const places = [y[0], y[2], y[3]];
  return {
    batch: group,
    rows,
    columns,
    depth,
    left: tensorOperand(weight, (g, row, k) => [channel(g, row, rows), ...delinearize(k, w.slice(1))], {
      batch: group,
      side: rows,
      depth,
    }),
    right: {
      element: (writer, g, column, k) => {
        const [n, ...output] = delinearize(column, places);
        const [c, ...kernel] = delinearize(k, w.slice(1));
        return paddedElement(writer, image, [n, channel(g, c, w[1])], meeting(geometry, output, kernel));
      },
    },
    position: (g, row, column) => {
      const [n, ...output] = delinearize(column, places);
      return linearize([n, channel(g, row, rows), ...output], y);
    },
  };
}

/** ConvInputGradient: a group's channels are rows, the positions of all inputs columns; the sum is over filters and their elements. */
export function convolutionInputGradient(node: Node): Product {
  const [cotangent, weight] = node.inputs as [Tensor, Tensor];
  const x = node.outputs[0].shape;
  const w = weight.shape;
  const { group, strides, dilations, pads } = attributesOf(node);
  const filters = w[0] / group;
  const [rows, columns, depth] = [w[1], x[0] * x[2] * x[3], filters * w[2] * w[3]];
  const places = [x[0], x[2], x[3]];
  const terms = [filters, w[2], w[3]];
  return {
    batch: group,
    rows,
    columns,
    depth,
    left: tensorOperand(
      weight,
      (g, row, k) => {
        const [f, ...kernel] = delinearize(k, terms);
        return [channel(g, f, filters), row, ...kernel];
      },
      { batch: group, side: rows, depth },
    ),
    right: {
      element: (writer, g, column, k) => {
        const [n, ...input] = delinearize(column, places);
        const [f, ...kernel] = delinearize(k, terms);
        return stridedElement(
          writer,
          cotangent,
          [n, channel(g, f, filters)],
          input.map((along, axis) => add(along, literal(pads[axis]), scale(kernel[axis], -dilations[axis]))),
          strides,
        );
      },
    },
    position: (g, row, column) => {
      const [n, ...input] = delinearize(column, places);
      return linearize([n, channel(g, row, rows), ...input], x);
    },
  };
}

/** The cotangent of the output element that read an input position, or 0 if none did: outputs are a stride apart. */
function stridedElement(
  writer: KernelWriter,
  image: Tensor,
  lead: readonly IndexExpression[],
  places: readonly IndexExpression[],
  strides: readonly number[],
): string {
  if (strides.every((stride) => stride === 1)) return paddedElement(writer, image, lead, places);
  const conditions: string[] = [];
  const index = places.map((place, axis) => {
    const [extent, stride] = [image.shape[axis + 2], strides[axis]];
    if (stride === 1) {
      const moved = writer.assumed(place, Math.max(2, extent));
      conditions.push(`(${writer.index(moved)} < ${extent}u)`);
      return moved;
    }
    const at = writer.once(`place ${place.key}`, () => writer.let('p', writer.index(place)));
    // A position before the image wraps around, so the comparison must include the quotient.
    conditions.push(
      writer.once(`taken ${at}`, () =>
        writer.let('taken', `(${at} < ${extent * stride}u) & (${at} % ${stride}u == 0u)`),
      ),
    );
    return divide(variable(at, extent * stride), stride);
  });
  return chosen(writer, image, [...lead, ...index], conditions);
}

/** ConvWeightGradient: a group's filters are rows, a filter's elements columns; the sum is over the positions of all outputs. */
export function convolutionWeightGradient(node: Node): Product {
  const [image, cotangent] = node.inputs as [Tensor, Tensor];
  const w = node.outputs[0].shape;
  const geometry: Geometry = { x: image.shape, w, y: cotangent.shape, attributes: attributesOf(node) };
  const { y } = geometry;
  const { group } = geometry.attributes;
  const [rows, columns, depth] = [w[0] / group, w[1] * w[2] * w[3], y[0] * y[2] * y[3]];
  const terms = [y[0], y[2], y[3]];
  const left: Operand = tensorOperand(
    cotangent,
    (g, row, k) => {
      const [n, ...output] = delinearize(k, terms);
      return [n, channel(g, row, rows), ...output];
    },
    { batch: group, side: rows, depth },
  );
  return {
    batch: group,
    rows,
    columns,
    depth,
    left,
    right: {
      element: (writer, g, column, k) => {
        const [c, ...kernel] = delinearize(column, w.slice(1));
        const [n, ...output] = delinearize(k, terms);
        return paddedElement(writer, image, [n, channel(g, c, w[1])], meeting(geometry, output, kernel));
      },
    },
    position: (g, row, column) => linearize([channel(g, row, rows), ...delinearize(column, w.slice(1))], w),
  };
}
