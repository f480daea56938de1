import * as fm from '@flow-matching/core';
import { isFloat, type DType, type Shape, type Tensor } from '@flow-matching/core';
import type { Tolerance } from './agreement.ts';

/** One use of an operator: shapes of the operands and what is made of them. */
export interface Case {
  readonly shapes: readonly Shape[];
  readonly formula: (...inputs: Tensor[]) => Tensor;
  /** Operands are drawn from [low, high). Default [−4, 4), of unsigned ones [0, 8). */
  readonly range?: readonly [number, number] | undefined;
  /** Dtypes of the operands where they are not all that of the case. */
  readonly dtypes?: readonly (DType | undefined)[];
  /** Of an f32 result, where rounding alone does not bound it. */
  readonly tolerance?: Tolerance;
}

type Range = readonly [low: number, high: number];
const vectorShapes: readonly Shape[] = [[], [1], [7], [3, 4], [2, 1, 5], [0, 3], [513]];
const unary = (formula: (x: Tensor) => Tensor, range?: Range): Case[] =>
  vectorShapes.map((shape) => ({ shapes: [shape], formula, range }));

const pairs: readonly (readonly [Shape, Shape])[] = [
  [[], []],
  [[5], []],
  [[], [2, 3]],
  [
    [4, 3],
    [4, 3],
  ],
  [[4, 3], [3]],
  [
    [4, 1],
    [1, 3],
  ],
  [
    [2, 1, 4],
    [3, 1],
  ],
  [[0, 3], [3]],
  [
    [300, 7],
    [300, 1],
  ],
];
const binary = (formula: (a: Tensor, b: Tensor) => Tensor, range?: Range): Case[] =>
  pairs.map((shapes) => ({ shapes, formula, range }));

const apart = (from: Tensor): Tensor => fm.where(fm.equal(from, 0), fm.constant(3, from.dtype), from);

type Reduce = (x: Tensor, axes?: number | readonly number[], options?: fm.ReduceOptions) => Tensor;
const reduced: readonly (readonly [Shape, readonly number[] | undefined])[] = [
  [[6], undefined],
  [[3, 4], [0]],
  [[3, 4], [1]],
  [
    [2, 3, 4],
    [0, 2],
  ],
  [[2, 3, 4], [1]],
  [
    [2, 1, 4],
    [1, 2],
  ],
  [[40, 5], [0]],
  [
    [8, 9, 5, 2],
    [0, 1],
  ],
  [[64], [0]],
  [[0, 3], [1]],
];
const emptied: typeof reduced = [
  [[0, 3], [0]],
  [[2, 0], undefined],
];
/** Axes of every kind, and where the operator is defined over no elements, none. */
const reductions = (reduce: Reduce, overNothing: boolean): Case[] =>
  [...reduced, ...(overNothing ? emptied : [])].flatMap(([shape, axes]) =>
    [false, true].map((keepdims) => ({
      shapes: [shape],
      formula: (x: Tensor) => reduce(x, axes, { keepdims }),
      tolerance: { absolute: 1e-5, relative: 1e-5 },
    })),
  );

const loose = { absolute: 2e-5, relative: 1e-5 };

const conv = (
  x: Shape,
  w: Shape,
  options: fm.Conv2dOptions,
): {
  x: Shape;
  w: Shape;
  y: Shape;
  attributes: { strides: number[]; pads: number[]; dilations: number[]; group: number };
} => {
  const y = fm.conv2d(fm.zeros(x), fm.zeros(w), options);
  return { x, w, y: y.shape, attributes: y.node.attributes as never };
};
const convolutions = [
  conv([2, 3, 5, 6], [4, 3, 3, 3], {}),
  conv([2, 3, 5, 6], [4, 3, 3, 3], { padding: 1 }),
  conv([1, 4, 7, 7], [6, 4, 1, 1], {}),
  conv([2, 4, 8, 7], [6, 4, 3, 2], { stride: 2, padding: 1 }),
  conv([2, 4, 9, 8], [6, 4, 3, 3], { stride: [2, 3], padding: [1, 0], dilation: [1, 2] }),
  conv([2, 4, 6, 6], [6, 2, 3, 3], { groups: 2, padding: 1 }),
  conv([1, 4, 6, 9], [4, 1, 3, 3], { groups: 4, padding: [2, 1, 0, 3], stride: 2 }),
  conv([1, 2, 3, 4], [3, 2, 2, 2], { padding: 3, dilation: 2 }),
  conv([1, 2, 5, 5], [3, 2, 1, 1], { padding: 2 }),
  conv([1, 2, 5, 5], [3, 2, 2, 2], { padding: 4, stride: 3 }),
  conv([0, 2, 5, 5], [3, 2, 2, 2], {}),
];

const sliced = (starts: number[], ends: number[], steps?: number[]) => (x: Tensor) => fm.slice(x, starts, ends, steps);

/** Uses of every operator that the backend has a lowering for, by its name. */
export const cases: Readonly<Record<string, readonly Case[]>> = {
  Add: binary(fm.add),
  Sub: binary(fm.sub),
  Mul: binary(fm.mul),
  Div: binary((a, b) => fm.div(a, apart(b))),
  Neg: unary(fm.neg),
  Reciprocal: unary((x) => fm.reciprocal(x), [0.25, 4]),
  Sqrt: unary(fm.sqrt, [0, 4]),
  Pow: [
    ...binary(fm.pow, [0.25, 3]),
    { shapes: [[9]], formula: (x) => fm.pow(x, 3) },
    { shapes: [[9]], formula: (x) => fm.pow(x, 0) },
  ],
  Max: binary(fm.maximum),
  Min: binary(fm.minimum),
  Abs: unary(fm.abs),
  Sign: unary(fm.sign),
  Floor: unary(fm.floor),
  Round: [...unary(fm.round), { shapes: [[33]], formula: (x) => fm.round(fm.floor(x).add(0.5)), range: [-8, 8] }],
  Mod: [
    ...binary((a, b) => fm.mod(a, apart(b))),
    { shapes: [[64], [64]], formula: (a, b) => fm.mod(a, apart(b), 1), range: [-9, 9] },
  ],
  Exp: unary(fm.exp),
  Log: unary(fm.log, [0.01, 9]),
  Expm1: [...unary(fm.expm1), ...unary(fm.expm1, [-1e-3, 1e-3])],
  Log1p: [...unary(fm.log1p, [-0.9, 9]), ...unary(fm.log1p, [-1e-3, 1e-3])],
  Sin: unary(fm.sin),
  Cos: unary(fm.cos),
  Tanh: unary(fm.tanh),
  Sigmoid: unary(fm.sigmoid),
  Erf: unary(fm.erf),
  Equal: binary((a, b) =>
    a.dtype === 'bool'
      ? fm.equal(a, b)
      : fm.equal(isFloat(a.dtype) ? fm.floor(a) : a, isFloat(b.dtype) ? fm.floor(b) : b),
  ),
  Less: binary(fm.less),
  LessOrEqual: binary(fm.lessOrEqual),
  And: binary(fm.and),
  Or: binary(fm.or),
  Not: unary(fm.not),
  IsNaN: unary((x) => fm.isNaN(fm.sqrt(x))),
  Where: [
    {
      shapes: [
        [3, 4],
        [3, 4],
        [3, 4],
      ],
      formula: (c, a, b) => fm.where(c, a, b),
      dtypes: ['bool'],
    },
    { shapes: [[3, 1], [4], []], formula: (c, a, b) => fm.where(c, a, b), dtypes: ['bool'] },
    { shapes: [[], [2, 3], [3]], formula: (c, a, b) => fm.where(c, a, b), dtypes: ['bool'] },
    { shapes: [[0], [], [1]], formula: (c, a, b) => fm.where(c, a, b), dtypes: ['bool'] },
  ],
  Reshape: [
    { shapes: [[2, 6]], formula: (x) => x.reshape([3, -1]) },
    { shapes: [[1]], formula: (x) => x.reshape([]) },
    { shapes: [[]], formula: (x) => x.reshape([1, 1]) },
    { shapes: [[0, 3]], formula: (x) => x.reshape([3, 0, 2]) },
  ],
  Transpose: [
    { shapes: [[2, 3]], formula: (x) => x.transpose() },
    { shapes: [[2, 3, 4]], formula: (x) => x.transpose([1, 2, 0]) },
    { shapes: [[2, 3, 4, 5]], formula: (x) => x.transpose([0, 3, 1, 2]) },
    { shapes: [[0, 3]], formula: (x) => x.transpose() },
    { shapes: [[4]], formula: (x) => x.transpose() },
  ],
  Expand: [
    { shapes: [[]], formula: (x) => x.expand([2, 3]) },
    { shapes: [[3, 1]], formula: (x) => x.expand([2, 3, 4]) },
    { shapes: [[1]], formula: (x) => x.expand([0]) },
    { shapes: [[1]], formula: (x) => x.expand([700]) },
  ],
  Cast: (['f32', 'f64', 'i32', 'u32', 'bool'] as const).map((to) => ({
    shapes: [[3, 5]],
    formula: (x) => x.cast(to),
    range: [0, 9],
  })),
  Concat: [
    {
      shapes: [
        [2, 3],
        [4, 3],
      ],
      formula: (a, b) => fm.concat([a, b], 0),
    },
    {
      shapes: [
        [2, 3],
        [2, 1],
        [2, 2],
      ],
      formula: (a, b, c) => fm.concat([a, b, c], 1),
    },
    {
      shapes: [
        [2, 0],
        [2, 2],
        [2, 1],
      ],
      formula: (a, b, c) => fm.concat([a, b, c], -1),
    },
    {
      shapes: [
        [2, 0],
        [2, 2],
      ],
      formula: (a, b) => fm.concat([a, b], 1),
    },
  ],
  Slice: [
    { shapes: [[6, 5]], formula: sliced([1, 2], [5, 4]) },
    { shapes: [[6, 5]], formula: sliced([0, 4], [6, 0], [2, -1]) },
    { shapes: [[6]], formula: (x) => fm.sliceAxis(x, 0, 5, undefined, -2) },
    { shapes: [[6]], formula: (x) => fm.sliceAxis(x, 0, 5, undefined, -1) },
    { shapes: [[6, 2]], formula: sliced([3, 0], [3, 2]) },
    { shapes: [[2, 3, 4]], formula: sliced([0, 0, 1], [2, 3, 4], [1, 1, 2]) },
  ],
  Pad: [
    { shapes: [[2, 3]], formula: (x) => fm.pad(x, [1, 0], [0, 2]) },
    { shapes: [[4]], formula: (x) => fm.pad(x, [2], [3], 1) },
    { shapes: [[0, 2]], formula: (x) => fm.pad(x, [1, 0], [2, 1], 1) },
  ],
  Identity: unary(fm.identity),
  StopGradient: unary(fm.stopGradient),
  Barrier: unary((x) => fm.barrier(x)),
  ReduceSum: reductions(fm.reduceSum, true),
  ReduceMax: reductions(fm.reduceMax, false),
  ReduceMin: reductions(fm.reduceMin, false),
  ReduceMean: reductions(fm.mean, true),
  MatMul: (
    [
      [
        [2, 3],
        [3, 4],
      ],
      [
        [1, 1],
        [1, 1],
      ],
      [
        [5, 2, 3],
        [5, 3, 4],
      ],
      [
        [5, 1, 2, 3],
        [4, 3, 2],
      ],
      [
        [2, 3],
        [4, 3, 2],
      ],
      [
        [2, 0],
        [0, 3],
      ],
      [
        [0, 2],
        [2, 3],
      ],
      [
        [65, 33],
        [33, 17],
      ],
    ] as const
  ).map((shapes) => ({ shapes, formula: (a, b) => fm.matmul(a, b), tolerance: loose })),
  Gather: [
    { shapes: [[5, 3], [4]], formula: (x, i) => fm.gather(x, i, 0), dtypes: [undefined, 'i32'], range: [0, 5] },
    {
      shapes: [
        [3, 5],
        [2, 2],
      ],
      formula: (x, i) => fm.gather(x, i, 1),
      dtypes: [undefined, 'i32'],
      range: [-5, 5],
    },
    { shapes: [[5], []], formula: (x, i) => fm.gather(x, i, 0), dtypes: [undefined, 'i32'], range: [0, 5] },
  ],
  ScatterAdd: [
    {
      shapes: [[5, 3], [4], [4, 3]],
      formula: (x, i, u) => fm.scatterAdd(x, i, u, 0),
      dtypes: [undefined, 'i32', undefined],
      range: [0, 5],
    },
    {
      shapes: [[3, 5, 2], [6], [3, 6, 2]],
      formula: (x, i, u) => fm.scatterAdd(x, i, u, 1),
      dtypes: [undefined, 'i32', undefined],
      range: [0, 5],
    },
    {
      shapes: [
        [3, 5],
        [2, 2],
        [3, 2, 2],
      ],
      formula: (x, i, u) => fm.scatterAdd(x, i, u, 1),
      dtypes: [undefined, 'i32', undefined],
      range: [0, 5],
    },
    {
      shapes: [[5], [], []],
      formula: (x, i, u) => fm.scatterAdd(x, i, u, 0),
      dtypes: [undefined, 'i32', undefined],
      range: [0, 5],
    },
    {
      shapes: [[5, 2], [0], [0, 2]],
      formula: (x, i, u) => fm.scatterAdd(x, i, u, 0),
      dtypes: [undefined, 'i32', undefined],
      range: [0, 5],
    },
  ],
  Range: [
    { shapes: [[7]], formula: (x) => x.add(fm.range(0, 7, 1, x.dtype)) },
    { shapes: [[4]], formula: (x) => x.add(fm.range(9, 1, -2, x.dtype)) },
  ],
  Conv: convolutions.map(({ x, w, attributes }) => ({
    shapes: [x, w],
    formula: (a, b) => fm.apply(fm.Conv, [a, b], attributes)[0],
    tolerance: loose,
  })),
  ConvInputGradient: convolutions.map(({ x, w, y, attributes }) => ({
    shapes: [y, w],
    formula: (g, b) => fm.apply(fm.ConvInputGradient, [g, b], { ...attributes, shape: x })[0],
    tolerance: loose,
  })),
  ConvWeightGradient: convolutions.map(({ x, w, y, attributes }) => ({
    shapes: [x, y],
    formula: (a, g) => fm.apply(fm.ConvWeightGradient, [a, g], { ...attributes, shape: w })[0],
    tolerance: { absolute: 1e-4, relative: 1e-5 },
  })),
  Relu: unary(fm.relu),
  Softmax: [
    { shapes: [[3, 5]], formula: (x) => fm.softmax(x) },
    { shapes: [[3, 5, 2]], formula: (x) => fm.softmax(x, 1), range: [-50, 50] },
  ],
  LogSoftmax: [
    { shapes: [[3, 5]], formula: (x) => fm.logSoftmax(x) },
    {
      shapes: [[3, 5, 2]],
      formula: (x) => fm.logSoftmax(x, 1),
      range: [-50, 50],
      tolerance: { absolute: 1e-5, relative: 1e-5 },
    },
  ],
  Gelu: [...unary((x) => fm.gelu(x)), ...unary((x) => fm.gelu(x, 'tanh'))],
};
