import * as fm from '@flow-matching/tensor';
import { formatShape, sizeOf, type HostArray, type Shape, type Tensor } from '@flow-matching/tensor';
import { AdamUpdate } from '@flow-matching/plugins';
import type { Draw } from '../case/draw.ts';
import { close, exact, type Limit } from '../case/limit.ts';
import { rowOf, type Part, type Row, type Use } from '../case/use.ts';
import { longElementwise, places, placesAllOver, positionsOf, taken, tiled } from './largeArrays.ts';
import type { OperatorUses } from './operatorUses.ts';
import { byInput, byWeight, convolution, forward } from './productUses.ts';

// Sizes used in training, for which kernels take other code paths than for small ones: tiles, split sums, narrower formats. The
// reference computes some hundred elements of each.

/** Odd integers of 13 bits and both signs, which formats with fewer digits (TF32 has 11, bf16 8) cannot represent. */
const oddNumbers = (draw: Draw, shape: Shape): HostArray =>
  tiled(
    mapped(draw.array([1021], [-2048, 2048]), (u) => Math.sign(u || 1) * (4097 + 2 * Math.floor(Math.abs(u) / 1.01))),
    shape,
  );
const signs = (draw: Draw, shape: Shape): HostArray =>
  tiled(
    mapped(draw.array([1019], [-1, 1]), (u) => (u < 0 ? -1 : 1)),
    shape,
  );

/** Odd integers of 21 bits, which a sum of two or three bf16 cannot represent. */
const longNumbers = (draw: Draw, shape: Shape): HostArray =>
  tiled(
    mapped(draw.array([1021], [2 ** 19, 2 ** 20]), (u) => 2 * Math.floor(u) + 1),
    shape,
  );

/** [terms, columns] with ±1 at seven positions of each column, different for each, and 0 elsewhere; the last row is full. */
function fewOf(terms: number, columns: number): HostArray {
  const data = new Float32Array(terms * columns);
  for (let column = 0; column < columns; column++) {
    for (let i = 0; i < 6; i++) data[((column * 37 + i * 83) % (terms - 1)) * columns + column] = i % 2 === 0 ? 1 : -1;
    data[(terms - 1) * columns + column] = 1;
  }
  return { data, shape: [terms, columns], dtype: 'f32' };
}

const mapped = ({ data, shape, dtype }: HostArray, value: (x: number) => number): HostArray => ({
  data: data.map(value),
  shape,
  dtype,
});

/** Sums of up to 1,000 signed products of 13 bits and their partial sums are integers below 2²⁴: exact in any order. */
const wholeSums: Limit = { ...exact, description: 'exact: partial sums are whole numbers below 2²⁴' };
/** For kernels with intermediate fractions (Winograd): distinguishes integers. */
const wholeNumbers = close(0.5, 0, 'half of what tells two whole numbers apart');

const [rows, inner, columns] = [256, 512, 512];

/** Products [256, 512] × [512, 512] and both of their gradients, by rows and columns of the result. */
function products(): Use[] {
  const use = (
    what: string,
    shapes: readonly [Shape, Shape],
    formula: (a: Tensor, b: Tensor) => Tensor,
    /** Axes of the operands along which the result's rows and columns lie. */
    axes: readonly [number, number],
  ): Use => {
    const result = [shapes[0][axes[0]], shapes[1][axes[1]]];
    const [r, c] = result.map(places);
    return {
      what,
      operands: (draw) => [oddNumbers(draw, shapes[0]), signs(draw, shapes[1])],
      formula,
      limit: wholeSums,
      part: ([a, b]) => ({
        positions: positionsOf(result, [r, c]),
        operands: [taken(a, axes[0], r), taken(b, axes[1], c)],
      }),
    };
  };
  const [x, w, g]: readonly Shape[] = [
    [rows, inner],
    [inner, columns],
    [rows, columns],
  ];
  return [
    use(`${formatShape(x)} times ${formatShape(w)}`, [x, w], fm.matmul, [0, 1]),
    use('the gradient of the first: times the second, transposed', [g, w], (a, b) => a.matmul(b.transpose()), [0, 0]),
    use('the gradient of the second: the first, transposed, times', [x, g], (a, b) => a.transpose().matmul(b), [1, 1]),
    {
      what: 'few terms of 21 bits',
      operands: (draw) => [longNumbers(draw, [64, inner]), fewOf(inner, 256)],
      formula: fm.matmul,
      limit: wholeSums,
      part: ([a, b]) => ({
        positions: positionsOf([64, 256], [undefined, places(256)]),
        operands: [a, taken(b, 1, places(256))],
      }),
    },
    {
      what: 'a batch of 64 times a matrix',
      operands: (draw) => [oddNumbers(draw, [64, 16, 96]), signs(draw, [96, 128])],
      formula: fm.matmul,
      limit: wholeSums,
      part: ([a, b]) => ({
        positions: positionsOf([64, 16, 128], [[0, 1, 31, 63], undefined, places(128)]),
        operands: [taken(a, 0, [0, 1, 31, 63]), taken(b, 1, places(128))],
      }),
    },
  ];
}

const wide = convolution([2, 64, 16, 16], [64, 64, 3, 3], { padding: 1 });
const strided = convolution([1, 64, 16, 16], [96, 64, 3, 3], { padding: 1, stride: 2 });

/** 64 channels to as many or more, by channels of the result; only the last sample if samples are not summed. */
const wideConvolution = (use: Use, part: Use['part']): Row => ({
  what: `64 channels: ${use.what}`,
  uses: [
    {
      ...use,
      operands: (draw) =>
        use.operands(draw).map(({ shape }, i) => (i === 0 ? oddNumbers(draw, shape) : signs(draw, shape))),
      limit: wholeNumbers,
      ...(part && { part }),
    },
  ],
});

const filtersOf = ({ w }: typeof wide): number[] => places(w[0]).filter((_, i) => i % 3 === 0 || i < 2);
const lastSample = (array: HostArray): HostArray => taken(array, 0, [array.shape[0] - 1]);

const wideForward = (geometry: typeof wide): Row =>
  wideConvolution(forward(geometry), ([x, w]) => {
    const filters = filtersOf(geometry);
    return {
      positions: positionsOf(geometry.y, [[geometry.y[0] - 1], filters]),
      operands: [lastSample(x), taken(w, 0, filters)],
    };
  });

const wideByInput = (geometry: typeof wide): Row =>
  wideConvolution(byInput(geometry), ([g, w]) => {
    const channels = filtersOf({ ...geometry, w: [geometry.w[1]] });
    const shape = [1, channels.length, ...geometry.x.slice(2)];
    return {
      positions: positionsOf(geometry.x, [[geometry.x[0] - 1], channels]),
      operands: [lastSample(g), taken(w, 1, channels)],
      formula: (a, b) => fm.apply(fm.ConvInputGradient, [a, b], { ...geometry.attributes, shape })[0],
    };
  });

const wideByWeight = (geometry: typeof wide): Row =>
  wideConvolution(byWeight(geometry), ([x, g]) => {
    const [filters, channels] = [filtersOf(geometry), filtersOf({ ...geometry, w: [geometry.w[1]] })];
    const shape = [filters.length, channels.length, ...geometry.w.slice(2)];
    return {
      positions: positionsOf(geometry.w, [filters, channels]),
      operands: [taken(x, 1, channels), taken(g, 1, filters)],
      formula: (a, b) => fm.apply(fm.ConvWeightGradient, [a, b], { ...geometry.attributes, shape })[0],
    };
  });

/** Integers from −3 to 3: the sum of four million is below 2²⁴, exact in any order. */
const smallWholes = (draw: Draw, shape: Shape): HostArray => tiled(draw.whole([1021], [-3, 4]), shape);
const million = 2 ** 20;

/** Reductions of four million elements, and of the rows and columns of one million. */
function reductions(reduce: (x: Tensor, axes?: readonly number[]) => Tensor): Row {
  const square: Shape = [1024, 1025];
  const at = places(1024);
  return {
    what: 'four million elements',
    uses: [
      {
        what: 'all of them',
        operands: (draw) => [smallWholes(draw, [4 * million])],
        formula: (x) => reduce(x),
        limit: wholeSums,
      },
      {
        what: 'rows',
        operands: (draw) => [smallWholes(draw, square)],
        formula: (x) => reduce(x, [1]),
        limit: wholeSums,
        part: ([x]) => ({ positions: at, operands: [taken(x, 0, at)] }),
      },
      {
        what: 'columns',
        operands: (draw) => [smallWholes(draw, square)],
        formula: (x) => reduce(x, [0]),
        limit: wholeSums,
        part: ([x]) => ({ positions: at, operands: [taken(x, 1, at)] }),
      },
    ],
  };
}

/** Movements of some hundred thousand elements, all of which are compared. */
const movements: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  Transpose: (x) => x.transpose(),
  Reshape: (x) => x.reshape([401, 300]),
  Slice: (x) => fm.slice(x, [299, 1], [-301, 401], [-1, 2]),
  Concat: (x) => fm.concat([x, x, fm.slice(x, [0, 0], [300, 7])], 1),
  Pad: (x) => fm.pad(x, [3, 1], [0, 5], 1),
  Expand: (x) => x.reshape([300, 1, 401]).expand([300, 3, 401]),
  Gather: (x) => fm.gather(x, fm.constant([399, 0, 256, 255, -1, 128, 3], 'i32'), 1),
};

/** The update of a layer of 512 × 512 parameters. */
function adamUpdates(): Use {
  const shape: Shape = [512, 512];
  const positions = placesAllOver(sizeOf(shape));
  const formula = (...inputs: Tensor[]): readonly Tensor[] => AdamUpdate(inputs, { beta1: 0.9, beta2: 0.999 });
  return {
    what: formatShape(shape),
    operands: (draw) => [
      ...(
        [
          [-4, 4],
          [-4, 4],
          [0.01, 4],
          [-4, 4],
        ] as const
      ).map((range) => tiled(draw.array([1021], range), shape)),
      draw.array([], [1e-3, 1e-2]),
      draw.array([], [1e-8, 1e-6]),
    ],
    formula,
    // The roundings of the small updates, for numbers up to four and steps below one.
    limit: close(32 * 2 ** -24 * 4, 32 * 2 ** -24, '32 roundings of numbers up to 4'),
    part: (operands): Part => ({
      positions,
      operands: operands.map((operand, i) =>
        i < 4 ? { ...taken({ ...operand, shape: [sizeOf(shape)] }, 0, positions) } : operand,
      ),
    }),
  };
}

const single = ['f32'] as const;

/** Operators at sizes used in training, in f32. */
export const productSizes: readonly OperatorUses[] = [
  {
    operator: 'MatMul',
    dtypes: single,
    rows: () => products().map((use) => ({ ...rowOf(use), what: `product sizes: ${use.what}` })),
  },
  { operator: 'Conv', dtypes: single, rows: () => [wideForward(wide), wideForward(strided)] },
  { operator: 'ConvInputGradient', dtypes: single, rows: () => [wideByInput(wide), wideByInput(strided)] },
  { operator: 'ConvWeightGradient', dtypes: single, rows: () => [wideByWeight(wide), wideByWeight(strided)] },
  { operator: 'ReduceSum', dtypes: single, rows: () => [reductions((x, axes) => fm.reduceSum(x, axes))] },
  { operator: 'ReduceMax', dtypes: single, rows: () => [reductions((x, axes) => fm.reduceMax(x, axes))] },
  {
    operator: 'Add',
    dtypes: single,
    rows: () => [
      {
        what: 'four million elements',
        uses: [
          longElementwise(
            (a, b) => fm.add(a, b),
            [4 * million],
            [(draw) => draw.array([1021]), (draw) => draw.array([1019])],
          ),
        ],
      },
    ],
  },
  ...Object.entries(movements).map(([operator, formula]): OperatorUses => ({
    operator,
    dtypes: single,
    rows: () => [
      {
        what: 'a hundred thousand elements',
        uses: [{ what: '[300, 401]', operands: (draw) => [tiled(draw.array([1021]), [300, 401])], formula }],
      },
    ],
  })),
  { operator: 'AdamUpdate', dtypes: single, rows: () => [{ ...rowOf(adamUpdates()), what: 'a layer of 512 by 512' }] },
];
