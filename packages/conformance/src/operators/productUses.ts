import * as fm from '@flow-matching/tensor';
import { formatShape, type Conv2dOptions, type ConvAttributes, type Shape, type Tensor } from '@flow-matching/tensor';
import type { Row, Use } from '../case/use.ts';
import { summed } from './accuracy.ts';
import { numeric } from './dtypes.ts';
import type { OperatorUses } from './operatorUses.ts';

const matrices: Readonly<Record<string, readonly (readonly [Shape, Shape])[]>> = {
  'two matrices': [
    [
      [2, 3],
      [3, 4],
    ],
    [
      [3, 3],
      [3, 3],
    ],
    [
      [1, 1],
      [1, 1],
    ],
  ],
  'a row and a column': [
    [
      [1, 40],
      [40, 1],
    ],
    [
      [6, 1],
      [1, 5],
    ],
  ],
  'more than a tile': [
    [
      [65, 33],
      [33, 17],
    ],
    [
      [3, 130],
      [130, 66],
    ],
  ],
  batches: [
    [
      [5, 2, 3],
      [5, 3, 4],
    ],
    [
      [2, 2, 2, 3],
      [2, 2, 3, 2],
    ],
    [
      [2, 1, 3, 2, 2, 3],
      [2, 1, 3, 2, 3, 2],
    ],
  ],
  'batches that broadcast': [
    [
      [5, 1, 2, 3],
      [4, 3, 2],
    ],
    [
      [2, 3],
      [4, 3, 2],
    ],
    [
      [4, 2, 3],
      [1, 3, 2],
    ],
  ],
};

const matMulRows = (): Row[] =>
  Object.entries(matrices).map(([what, list]) => ({
    what,
    uses: list.map(([a, b]) => product(`${formatShape(a)} times ${formatShape(b)}`, a, b, fm.matmul, a.at(-1)!)),
  }));

/** A product of two operands whose elements are sums of `length` terms. */
export const product = (
  what: string,
  a: Shape,
  b: Shape,
  formula: (a: Tensor, b: Tensor) => Tensor,
  length: number,
): Use => ({
  what,
  operands: (draw) => [draw.array(a), draw.array(b)],
  formula,
  limit: summed(formula, length),
});

export interface Convolution {
  readonly x: Shape;
  readonly w: Shape;
  readonly y: Shape;
  readonly attributes: ConvAttributes;
  readonly what: string;
}

/** A convolution of given shapes; conv2d determines its attributes and its output. */
export function convolution(x: Shape, w: Shape, options: Conv2dOptions = {}): Convolution {
  const y = fm.conv2d(fm.zeros(x), fm.zeros(w), options);
  const attributes = y.node.attributes as unknown as ConvAttributes;
  const named = Object.entries(options).map(([name, value]) => `${name} ${String(value)}`);
  return { x, w, y: y.shape, attributes, what: [`${formatShape(x)} by ${formatShape(w)}`, ...named].join(', ') };
}

const convolutions: Readonly<Record<string, readonly Convolution[]>> = {
  plain: [
    convolution([2, 3, 5, 6], [4, 3, 3, 3]),
    convolution([1, 4, 7, 7], [6, 4, 1, 1]),
    convolution([1, 1, 4, 4], [1, 1, 4, 4]),
  ],
  padding: [
    convolution([2, 3, 5, 6], [4, 3, 3, 3], { padding: 1 }),
    convolution([1, 2, 5, 5], [3, 2, 1, 1], { padding: 2 }),
    convolution([1, 2, 3, 4], [3, 2, 2, 2], { padding: 3, dilation: 2 }),
    convolution([1, 2, 4, 5], [2, 2, 3, 2], { padding: [2, 0, 0, 1] }),
  ],
  'strides and dilations': [
    convolution([2, 4, 8, 7], [6, 4, 3, 2], { stride: 2, padding: 1 }),
    convolution([2, 4, 9, 8], [6, 4, 3, 3], { stride: [2, 3], padding: [1, 0], dilation: [1, 2] }),
    convolution([1, 2, 5, 5], [3, 2, 2, 2], { padding: 4, stride: 3 }),
  ],
  groups: [
    convolution([2, 4, 6, 6], [6, 2, 3, 3], { groups: 2, padding: 1 }),
    convolution([1, 4, 6, 9], [4, 1, 3, 3], { groups: 4, padding: [2, 1, 0, 3], stride: 2 }),
  ],
};

const convolutionRows = (useOf: (convolution: Convolution) => Use): Row[] =>
  Object.entries(convolutions).map(([what, list]) => ({ what, uses: list.map(useOf) }));

/** The convolution itself. */
export const forward = ({ x, w, attributes, what }: Convolution): Use =>
  product(what, x, w, (a, b) => fm.apply(fm.Conv, [a, b], attributes)[0], fm.sizeOf(w.slice(1)));

/** An element of the input sums at most all taps of all filters. */
export const byInput = ({ x, w, y, attributes, what }: Convolution): Use =>
  product(
    what,
    y,
    w,
    (g, b) => fm.apply(fm.ConvInputGradient, [g, b], { ...attributes, shape: x })[0],
    (w[0] / attributes.group) * w[2] * w[3],
  );

/** A tap sums all positions of all samples. */
export const byWeight = ({ x, w, y, attributes, what }: Convolution): Use =>
  product(
    what,
    x,
    y,
    (a, g) => fm.apply(fm.ConvWeightGradient, [a, g], { ...attributes, shape: w })[0],
    y[0] * y[2] * y[3],
  );

/** Matrix products and convolutions. */
export const productUses: readonly OperatorUses[] = [
  { operator: 'MatMul', dtypes: numeric, rows: matMulRows },
  { operator: 'Conv', dtypes: numeric, rows: () => convolutionRows(forward) },
  { operator: 'ConvInputGradient', dtypes: numeric, rows: () => convolutionRows(byInput) },
  { operator: 'ConvWeightGradient', dtypes: numeric, rows: () => convolutionRows(byWeight) },
];
