import * as fm from '@flow-matching/tensor';
import { formatShape, type HostArray, type Shape, type Tensor } from '@flow-matching/tensor';
import { AdamUpdate, selu } from '@flow-matching/plugins';
import { referenceOf } from '../case/agreement.ts';
import type { Range } from '../case/draw.ts';
import { ulps } from '../case/limit.ts';
import { rowOf, type LimitOf, type Row, type Use } from '../case/use.ts';
import { largestOf, logOfSum, magnitude, perElement, softmaxRoundings, softmaxWeights, summed } from './accuracy.ts';
import { floats } from './dtypes.ts';
import type { OperatorUses } from './operatorUses.ts';

type Unary = (x: Tensor) => Tensor;

const alongAxes: readonly { readonly shape: Shape; readonly axis: number }[] = [
  { shape: [3, 5], axis: -1 },
  { shape: [3, 5, 2], axis: 1 },
  { shape: [4, 3], axis: 0 },
  { shape: [2, 1], axis: 1 },
  { shape: [2, 300], axis: 1 },
];

/** A kind of softmax along different axes, for scores that are close and far apart. */
function alongRows(formula: (x: Tensor, axis: number) => Tensor, limit: typeof softmaxWeights): Row[] {
  const rows: Readonly<Record<string, Range>> = { axes: [-4, 4], 'scores far apart': [-50, 50] };
  return Object.entries(rows).map(([what, range]) => ({
    what,
    uses: alongAxes.map(({ shape, axis }) => ({
      what: `${formatShape(shape)} along ${axis}`,
      operands: (draw) => [draw.array(shape, range)],
      formula: (x) => formula(x, axis),
      limit: limit(shape.at(axis)!, range[1] - range[0]),
    })),
  }));
}

const epsilon = 1e-5;

/**
 * Standardized values: with K the largest operand divided by the smallest standard deviation, the error of a mean of n terms is
 * (n + 2)·K; the deviations, at most 2·K, have this error from the mean and that of the root of their mean square.
 */
function standardized(spreadOf: (x: Tensor) => Tensor, length: number): LimitOf {
  return (expected, [x, scale]) => {
    const variances = referenceOf(spreadOf, [x])[0].data;
    const condition = largestOf(x) / Math.sqrt(Math.min(...variances) + epsilon);
    const roundings = 2 * (length + 2) * condition * (1 + 2 * condition) + 2 * (length + 16) * condition;
    const factor = scale ? largestOf(scale) : 1;
    return perElement(
      expected,
      (i, unit) => (factor * roundings + 4 * Math.abs(expected.data[i])) * unit,
      'the sums of mean and variance over the least deviation',
    );
  };
}

function layerNorms(): Row[] {
  const over = (shape: Shape, axis: number): Use[] => {
    const inner = shape.slice(axis);
    const spread: Unary = (x) => fm.variance(x, [...shape.keys()].slice(axis));
    const limit = standardized(spread, fm.sizeOf(inner));
    return [
      {
        what: `${formatShape(shape)} from axis ${axis}`,
        operands: (draw) => [draw.array(shape)],
        formula: (x) => fm.layerNorm(x, { axis, epsilon }),
        limit,
      },
      {
        what: `${formatShape(shape)} from axis ${axis}, scaled and shifted`,
        operands: (draw) => [draw.array(shape), draw.array(inner), draw.array(inner)],
        formula: (x, scale, bias) => fm.layerNorm(x, { axis, epsilon, scale, bias }),
        limit,
      },
    ];
  };
  return [{ what: 'axes', uses: [...over([4, 6], 1), ...over([2, 3, 12], 2), ...over([2, 3, 4], 1)] }];
}

function groupNorms(): Row[] {
  const over = (shape: Shape, groups: number): Use[] => {
    const [batch, channels] = shape;
    const length = fm.sizeOf(shape) / (batch * groups);
    const spread: Unary = (x) => fm.variance(x.reshape([batch, groups, length]), 2);
    const limit = standardized(spread, length);
    return [
      {
        what: `${formatShape(shape)} in ${groups}`,
        operands: (draw) => [draw.array(shape)],
        formula: (x) => fm.groupNorm(x, groups, { epsilon }),
        limit,
      },
      {
        what: `${formatShape(shape)} in ${groups}, scaled and shifted`,
        operands: (draw) => [draw.array(shape), draw.array([channels]), draw.array([channels])],
        formula: (x, scale, bias) => fm.groupNorm(x, groups, { epsilon, scale, bias }),
        limit,
      },
    ];
  };
  return [{ what: 'groups', uses: [...over([2, 4, 3, 3], 2), ...over([3, 6, 5], 1), ...over([2, 4, 2, 4], 4)] }];
}

/** Queries, keys and values in [-1, 1): no score is larger than √channels, and no two differ by more than twice that. */
function attention(tokens: { queries: number; keys: number; channels: number; values: number }, mask?: Shape): Use {
  const { queries, keys, channels, values } = tokens;
  const root = Math.sqrt(channels);
  const formula = (q: Tensor, k: Tensor, v: Tensor, seen?: Tensor): Tensor =>
    fm.scaledDotProductAttention(q, k, v, seen && { mask: seen });
  const roundings = softmaxRoundings(keys, 2 * root) + 2 * (channels + 2) * root + keys + 2;
  return {
    what: `${queries} queries of ${keys} keys${mask ? `, mask ${formatShape(mask)}` : ''}`,
    operands: (draw) => [
      draw.array([2, 2, queries, channels], [-1, 1]),
      draw.array([2, 2, keys, channels], [-1, 1]),
      draw.array([2, 2, keys, values], [-1, 1]),
      ...(mask ? [seesSome(draw.of('bool').array(mask))] : []),
    ],
    formula,
    limit: (expected, [q, k, v, ...rest]) => {
      const sizes = referenceOf(formula, [q, k, magnitude(v), ...rest])[0].data;
      return perElement(
        expected,
        (i, unit) => roundings * unit * sizes[i],
        'the softmax, the scores it takes and the sum over the values',
      );
    },
  };
}

/** Every row attends to its first key. */
function seesSome({ data, shape, dtype }: HostArray): HostArray {
  const keys = shape.at(-1)!;
  return { data: data.map((seen, i) => (i % keys === 0 ? 1 : seen)), shape, dtype };
}

const attentionRows = (): Row[] => {
  const small = { queries: 5, keys: 6, channels: 4, values: 3 };
  return [
    { what: 'all keys', uses: [attention(small), attention({ queries: 1, keys: 40, channels: 8, values: 8 })] },
    { what: 'masks', uses: [attention(small, [5, 6]), attention(small, [2, 1, 5, 6]), attention(small, [1, 6])] },
  ];
};

function averagePools(): Row[] {
  const use = (what: string, shape: Shape, kernel: number, options: fm.AveragePoolOptions): Use => {
    const formula: Unary = (x) => fm.averagePool2d(x, kernel, options);
    // The window's sum, its reciprocal count and the product.
    return { what, operands: (draw) => [draw.array(shape)], formula, limit: summed(formula, kernel * kernel, 6) };
  };
  return [
    {
      what: 'windows',
      uses: [
        use('tiles', [2, 3, 4, 6], 2, {}),
        use('overlapping', [1, 2, 5, 5], 3, { stride: 1 }),
        use('on padding', [1, 2, 4, 4], 3, { stride: 2, padding: 1 }),
        use('counting the padding', [1, 2, 4, 4], 3, { stride: 2, padding: 1, countPadding: true }),
      ],
    },
  ];
}

const upsamplings = (): Row[] => [
  {
    what: 'scales',
    uses: ([2, [1, 3]] as const).map((scale) => ({
      what: `by ${String(scale)}`,
      operands: (draw) => [draw.array([2, 3, 2, 3])],
      formula: (x) => fm.upsampleNearest2d(x, scale),
    })),
  },
];

/** Parameter, moments, gradient, rate and ε̂ of {@link AdamUpdate}. */
const adamFormula = (...inputs: Tensor[]): readonly Tensor[] => AdamUpdate(inputs, { beta1: 0.9, beta2: 0.999 });

/**
 * Moments are three products and sums with rounded constants. The error of a step comes from that of the first moment, half of
 * that of the second, WGSL's root (10 round-offs) and division (5).
 */
const adamLimit: LimitOf = (expected, operands, output) => {
  const [parameter, first, , gradient, rate, epsilonHat] = operands;
  const sizes = referenceOf(adamFormula, operands.map(magnitude));
  const seconds = referenceOf(adamFormula, operands)[2].data;
  const stepOf = (i: number): number => {
    const moment = 0.9 * Math.abs(first.data[i]) + 0.1 * Math.abs(gradient.data[i]);
    return (rate.data[0] * moment) / (Math.sqrt(seconds[i]) + epsilonHat.data[0]);
  };
  return perElement(
    expected,
    (i, unit) =>
      output === 0 ? (30 * stepOf(i) + 2 * Math.abs(parameter.data[i])) * unit : 6 * unit * sizes[output].data[i],
    'the roundings of both moments, the root, the division and the constants',
  );
};

const adamRows = (): Row[] => [
  {
    what: 'arrays',
    uses: ([[], [7], [40, 9]] as const).map((shape) => ({
      what: formatShape(shape),
      operands: (draw) => [
        draw.array(shape),
        draw.array(shape),
        draw.array(shape, [0.01, 4]),
        draw.array(shape),
        draw.array([], [1e-3, 1e-2]),
        draw.array([], [1e-8, 1e-6]),
      ],
      formula: adamFormula,
      limit: adamLimit,
    })),
  },
];

/** Composites that a backend may run as one kernel; other backends run their decomposition. */
export const compositeUses: readonly OperatorUses[] = [
  { operator: 'Softmax', dtypes: floats, rows: () => alongRows(fm.softmax, softmaxWeights) },
  { operator: 'LogSoftmax', dtypes: floats, rows: () => alongRows(fm.logSoftmax, logOfSum) },
  { operator: 'LayerNormalization', dtypes: floats, rows: layerNorms },
  { operator: 'GroupNormalization', dtypes: floats, rows: groupNorms },
  { operator: 'Attention', dtypes: floats, rows: attentionRows },
  { operator: 'AveragePool', dtypes: floats, rows: averagePools },
  { operator: 'UpsampleNearest', dtypes: floats, rows: upsamplings },
  { operator: 'AdamUpdate', dtypes: floats, rows: adamRows },
  {
    operator: 'Selu',
    dtypes: floats,
    rows: () => [
      rowOf({
        what: 'values',
        operands: (draw) => [draw.array([1031], [-6, 6])],
        formula: selu,
        // 8 ulp of expm1, plus the roundings of two constants, two products and a sum.
        limit: ulps(13),
      }),
    ],
  },
];
