import * as fm from '@flow-matching/tensor';
import { formatShape, isFloat, type DType, type HostArray, type Shape, type Tensor } from '@flow-matching/tensor';
import type { Formula } from '../case/agreement.ts';
import type { Draw, Range } from '../case/draw.ts';
import type { Limit } from '../case/limit.ts';
import { rowOf, type LimitOf, type Row, type Use } from '../case/use.ts';
import * as accuracy from './accuracy.ts';
import { all, booleans, floats, numeric } from './dtypes.ts';
import { longElementwise } from './largeArrays.ts';
import type { OperatorUses } from './operatorUses.ts';

/** How operands of a shape are drawn. */
type Drawn = (draw: Draw, shape: Shape) => HostArray;

const from =
  (...range: Range): Drawn =>
  (draw, shape) =>
    draw.array(shape, range);
const anything: Drawn = (draw, shape) => draw.array(shape);
const whole: Drawn = (draw, shape) => draw.whole(shape);
const divisors: Drawn = (draw, shape) => draw.apart(shape);

/** Values including halves, which round to even. */
const halves: Drawn = (draw, shape) => {
  const { data, dtype } = draw.array(shape, [-8, 8]);
  return { data: data.map((value, i) => (i % 2 === 0 ? Math.floor(value) + 0.5 : value)), shape, dtype };
};
/** Every third value is NaN, every fifth infinite. */
const withoutSome: Drawn = (draw, shape) => {
  const { data, dtype } = draw.array(shape);
  const odd = (i: number, value: number): number => (i % 3 === 0 ? Number.NaN : i % 5 === 0 ? Infinity : value);
  return { data: data.map((value, i) => odd(i, value)), shape, dtype };
};
/** Magnitudes over many binades, of both signs. */
const scattered =
  (least: number, largest: number): Drawn =>
  (draw, shape) => {
    const { data, dtype } = draw.array(shape, [Math.log2(least), Math.log2(largest)]);
    return { data: data.map((exponent, i) => (i % 2 === 0 ? 1 : -1) * 2 ** exponent), shape, dtype };
  };

const shapes: readonly Shape[] = [[], [1], [7], [3, 4], [2, 1, 5], [2, 3, 1, 2], [2, 1, 2, 1, 3, 2]];
/** More than the thread group size of any kernel, and not a multiple of one. */
const many: Shape = [1031];

type Unary = (x: Tensor) => Tensor;

/** Rows of a unary operator: shapes of every rank, and long arrays of every kind of value. */
function unary(
  operator: string,
  dtypes: readonly DType[],
  formula: Unary,
  kinds: Readonly<Record<string, Drawn>> = { values: anything },
  limit?: Limit | LimitOf,
): OperatorUses {
  const use = (what: string, shape: Shape, drawn: Drawn): Use => ({
    what,
    operands: (draw) => [drawn(draw, shape)],
    formula,
    limit,
  });
  const [usual] = Object.values(kinds);
  return {
    operator,
    dtypes,
    rows: (dtype) => [
      { what: 'shapes', uses: shapes.map((shape) => use(formatShape(shape), shape, usual)) },
      ...Object.entries(kinds).map(([what, drawn]) => rowOf(use(what, many, drawn))),
      ...longRows(dtype, formula, [usual], limit),
    ],
  };
}

/** More than 2¹⁶ elements, in the dtype used for training: kernels may take another code path, and must not stop early. */
const longRows = (
  dtype: DType,
  formula: Formula,
  drawn: readonly Drawn[],
  limit: Limit | LimitOf | undefined,
): Row[] => {
  const lengths = [1021, 1019];
  const operands = drawn.map((own, i) => (draw: Draw) => own(draw, [lengths[i]]));
  return dtype === 'f32'
    ? [{ what: 'more than 65,536 elements', uses: [longElementwise(formula, [131_075], operands, limit)] }]
    : [];
};

/** Pairs of shapes, by row. */
const pairs: Readonly<Record<string, readonly (readonly [Shape, Shape])[]>> = {
  'equal shapes': [
    [[], []],
    [
      [4, 3],
      [4, 3],
    ],
    [
      [2, 3, 1, 2],
      [2, 3, 1, 2],
    ],
    [many, many],
  ],
  'a scalar': [
    [[5], []],
    [[], [2, 3]],
    [[1], [2, 3]],
  ],
  '[4, 3] and [3]': [[[4, 3], [3]]],
  '[4, 1] and [1, 3]': [
    [
      [4, 1],
      [1, 3],
    ],
  ],
  'three axes and two': [
    [
      [2, 1, 4],
      [3, 1],
    ],
    [
      [3, 1],
      [2, 3, 4],
    ],
  ],
  'six axes': [
    [
      [2, 3, 1, 2, 2, 3],
      [2, 1, 2, 1, 2, 1],
    ],
    [
      [2, 3, 2, 2, 2, 3],
      [2, 1, 3],
    ],
  ],
  '[300, 7] and [300, 1]': [
    [
      [300, 7],
      [300, 1],
    ],
  ],
};

function binary(
  operator: string,
  dtypes: readonly DType[],
  formula: (a: Tensor, b: Tensor) => Tensor,
  [left, right]: readonly [Drawn, Drawn] = [anything, anything],
  limit?: Limit | LimitOf,
): OperatorUses {
  return {
    operator,
    dtypes,
    rows: (dtype) => [
      ...pairRows(formula, [left, right], limit),
      ...longRows(dtype, (a, b) => formula(a, b), [left, right], limit),
    ],
  };
}

const pairRows = (
  formula: (a: Tensor, b: Tensor) => Tensor,
  [left, right]: readonly [Drawn, Drawn],
  limit?: Limit | LimitOf,
  of: string = '',
): Row[] =>
  Object.entries(pairs).map(([what, list]) => ({
    what: `${of}${what}`,
    uses: list.map(([a, b]) => ({
      what: `${of}${formatShape(a)} and ${formatShape(b)}`,
      operands: (draw) => [left(draw, a), right(draw, b)],
      formula,
      limit,
    })),
  }));

const mod = (fmod: 0 | 1): Row[] =>
  pairRows((a, b) => fm.mod(a, b, fmod), [from(-9, 9), divisors], accuracy.remainder, `fmod ${fmod}, `);

/** Condition and branches that broadcast together. */
const choices: readonly (readonly [Shape, Shape, Shape])[] = [
  [
    [3, 4],
    [3, 4],
    [3, 4],
  ],
  [[3, 1], [4], []],
  [[], [2, 3], [3]],
  [many, [], many],
];

const whereRows = (dtype: DType): Row[] => [
  ...choices.map(([condition, a, b]) =>
    rowOf({
      what: [condition, a, b].map(formatShape).join(', '),
      operands: (draw) => [draw.of('bool').array(condition), draw.array(a), draw.array(b)],
      formula: (c, x, y) => fm.where(c, x, y),
    }),
  ),
  ...longRows(dtype, (a, b) => fm.where(fm.less(a, b), a.mul(2), b), [anything, anything], undefined),
];

/** Operators and composites that work element by element. */
export const elementwiseUses: readonly OperatorUses[] = [
  binary('Add', numeric, fm.add),
  binary('Sub', numeric, fm.sub),
  binary('Mul', numeric, fm.mul),
  {
    operator: 'Div',
    dtypes: numeric,
    rows: (dtype) => {
      const [operands, limit] = [[from(-9, 9), divisors] as const, isFloat(dtype) ? accuracy.division : undefined];
      return [...pairRows(fm.div, operands, limit), ...longRows(dtype, (a, b) => fm.div(a, b), operands, limit)];
    },
  },
  binary('Pow', floats, fm.pow, [from(0.25, 3), from(-3, 3)], accuracy.power),
  binary('Max', numeric, fm.maximum, [whole, whole]),
  binary('Min', numeric, fm.minimum, [whole, whole]),
  {
    operator: 'Mod',
    dtypes: numeric,
    rows: (dtype) => [
      ...(isFloat(dtype) ? mod(1) : [...mod(0), ...mod(1)]),
      ...longRows(dtype, (a, b) => fm.mod(a, b, 1), [from(-9, 9), divisors], accuracy.remainder),
    ],
  },
  binary('Equal', all, fm.equal, [whole, whole]),
  binary('Less', numeric, fm.less, [whole, whole]),
  binary('LessOrEqual', numeric, fm.lessOrEqual, [whole, whole]),
  binary('And', booleans, fm.and),
  binary('Or', booleans, fm.or),
  { operator: 'Where', dtypes: all, rows: whereRows },

  unary('Neg', numeric, fm.neg),
  unary('Abs', numeric, fm.abs),
  unary('Sign', numeric, fm.sign, { values: whole }),
  unary('Floor', floats, fm.floor),
  unary('Round', floats, fm.round, { 'values and halves': halves }),
  unary('Reciprocal', floats, fm.reciprocal, { values: scattered(1e-6, 1e6) }, accuracy.division),
  unary('Sqrt', floats, fm.sqrt, { values: from(0, 9) }, accuracy.squareRoot),
  unary('Exp', floats, fm.exp, { values: anything, 'a wide range': from(-80, 80) }, accuracy.exponential),
  unary('Log', floats, fm.log, { values: from(0.01, 9), 'a wide range': from(1e-6, 1e6) }, accuracy.logarithm),
  unary(
    'Expm1',
    floats,
    fm.expm1,
    { values: anything, 'small magnitudes': scattered(1e-30, 1e-2) },
    accuracy.exponentialLessOne,
  ),
  unary(
    'Log1p',
    floats,
    fm.log1p,
    { values: from(-0.99, 9), 'small magnitudes': scattered(1e-30, 1e-2) },
    accuracy.logarithmOfOnePlus,
  ),
  unary('Sin', floats, fm.sin, { values: anything, 'a wide range': from(-100, 100) }, accuracy.circular),
  unary('Cos', floats, fm.cos, { values: anything, 'a wide range': from(-100, 100) }, accuracy.circular),
  unary('Tanh', floats, fm.tanh, { values: anything, 'a wide range': from(-20, 20) }, accuracy.hyperbolicTangent),
  unary('Sigmoid', floats, fm.sigmoid, { values: anything, 'a wide range': from(-40, 40) }, accuracy.logistic),
  unary('Erf', floats, fm.erf, { values: anything }, accuracy.errorFunction),
  unary('IsNaN', floats, fm.isNaN, { values: withoutSome }),
  unary('Not', booleans, fm.not),
  unary('Identity', all, fm.identity),
  unary('StopGradient', all, fm.stopGradient),
  unary('Barrier', all, fm.barrier),

  unary('Relu', floats, fm.relu),
  unary('Silu', floats, fm.silu, { values: from(-12, 12) }, accuracy.scaledLogistic),
  unary('Softplus', floats, fm.softplus, { values: from(-12, 12) }, accuracy.softplus),
  unary('Gelu', floats, (x) => fm.gelu(x), { values: from(-6, 6) }, accuracy.gelu),
  {
    operator: 'Gelu',
    dtypes: floats,
    rows: () => [
      rowOf({
        what: 'tanh approximation',
        operands: (draw) => [draw.array(many, [-6, 6])],
        formula: (x) => fm.gelu(x, 'tanh'),
        limit: accuracy.gelu,
      }),
    ],
  },
];
