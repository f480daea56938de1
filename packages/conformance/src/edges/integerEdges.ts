import * as fm from '@flow-matching/tensor';
import type { HostArray, Tensor } from '@flow-matching/tensor';
import type { Formula } from '../case/agreement.ts';
import { floats, numeric } from '../operators/dtypes.ts';
import { everyPair, given, onValues, type EdgeUses } from './edgeUses.ts';

const [lowest, highest, top] = [-(2 ** 31), 2 ** 31 - 1, 2 ** 32 - 1];

const signed = everyPair([highest, lowest, highest - 1, -1, 1, 65537]);
const unsigned = everyPair([top, 0, top - 1, 1, 65537, 2 ** 31]);

/** One operator on pairs from the ends of both integer dtypes. */
const atEnds = (operator: string, what: string, formula: (a: Tensor, b: Tensor) => Tensor): EdgeUses[] => [
  onValues(operator, ['i32'], what, signed, formula),
  onValues(operator, ['u32'], what, unsigned, formula),
];

/** Adjacent integers that f32 rounds to one number, on both sides of every power of two from which that happens, and the ends of the range. */
const beyondFloats = {
  i32: [2 ** 24 + 1, 2 ** 24 + 3, -(2 ** 24) - 1, highest, highest - 1, lowest, lowest + 1, 123_456_789],
  u32: [2 ** 24 + 1, 2 ** 24 + 3, 2 ** 31 - 1, 2 ** 31 + 1, top, top - 1, 3_000_000_001, 123_456_789],
} as const;

/** Operators that pass integers through, given eight of them as [2, 4]. */
const movements: Readonly<Record<string, (x: Tensor) => Tensor | readonly Tensor[]>> = {
  Gather: (x) => [fm.gather(x, fm.constant([3, 0, -2], 'i32'), 1), fm.gather(x, fm.constant([1, 1, 0], 'i32'), 0)],
  ScatterAdd: (x) =>
    fm.scatterAdd(fm.constant([[0, 0, 0, 0]], x.dtype).expand([3, 4]), fm.constant([2, 0], 'i32'), x, 0),
  Slice: (x) => [fm.slice(x, [0, 1], [2, 4]), fm.slice(x, [1, 3], [-3, -5], [-1, -2])],
  Concat: (x) => [fm.concat([x, x], 0), fm.concat([x, fm.slice(x, [0, 0], [2, 1])], 1)],
  Pad: (x) => fm.pad(x, [0, 1], [1, 0], x.dtype === 'i32' ? 2 ** 24 + 1 : top),
  Transpose: (x) => x.transpose(),
  Reshape: (x) => x.reshape([4, 1, 2]),
  Expand: (x) => [x.expand([3, 2, 4]), x.reshape([8, 1]).expand([8, 3])],
  Identity: fm.identity,
  Barrier: fm.barrier,
  StopGradient: fm.stopGradient,
};

/** `more` follows the integers among the operands. */
const keeps = (operator: string, formula: Formula, ...more: HostArray[]): EdgeUses[] =>
  (['i32', 'u32'] as const).map((dtype) => ({
    operator,
    dtypes: [dtype],
    rows: () => [
      {
        what: 'integers that are no floats',
        uses: [
          {
            what: 'from 2²⁴ + 1 to the ends of the range',
            operands: () => [given(beyondFloats[dtype], dtype, [2, 4]), ...more],
            formula,
          },
        ],
      },
    ],
  }));

const kept: readonly EdgeUses[] = [
  ...Object.entries(movements).flatMap(([operator, formula]) => keeps(operator, formula)),
  ...keeps(
    'Where',
    (x, condition) => [
      fm.where(condition, x, fm.slice(x, [1, 0], [2, 4])),
      fm.where(condition, fm.slice(x, [0, 3], [2, 4]), x),
    ],
    given([1, 0, 0, 1], 'bool'),
  ),
];

const dividends = [7, -7, 7, -7, highest, lowest, 0];
const divisors = [2, 2, -2, -2, 3, 5, -3];
const largeDividends = [7, top, 2 ** 31, top, 3_000_000_000];
const largeDivisors = [2, 3, 65537, top, 2 ** 31];

/** Integers have 32 bits and wrap around. Left out: division by zero, and of the smallest integer by −1. */
export const integerEdges: readonly EdgeUses[] = [
  ...kept,
  ...atEnds('Add', 'wraps around', fm.add),
  ...atEnds('Sub', 'wraps around', fm.sub),
  ...atEnds('Mul', 'wraps around', fm.mul),
  ...atEnds('Max', 'the ends of the range', fm.maximum),
  ...atEnds('Min', 'the ends of the range', fm.minimum),
  ...atEnds('Less', 'the ends of the range', fm.less),
  ...atEnds('LessOrEqual', 'the ends of the range', fm.lessOrEqual),
  // Adjacent integers that are equal in f32.
  ...atEnds('Equal', 'the ends of the range', fm.equal),
  onValues('Neg', ['i32'], 'the ends of the range', [[highest, lowest, lowest + 1]], fm.neg),
  onValues('Neg', ['u32'], 'wraps around', [[0, 1, top]], fm.neg),
  onValues('Abs', ['i32'], 'the ends of the range', [[highest, lowest + 1]], fm.abs),
  onValues('Sign', ['i32'], 'the ends of the range', [[highest, lowest, 0]], fm.sign),
  onValues('Sign', ['u32'], 'the ends of the range', [[top, 2 ** 31, 0]], fm.sign),
  onValues('Div', ['i32'], 'truncates', [dividends, divisors], fm.div),
  onValues('Div', ['u32'], 'beyond 2³¹', [largeDividends, largeDivisors], fm.div),
  onValues('Mod', ['i32'], 'takes the divisor’s sign', [dividends, divisors], (a, b) => fm.mod(a, b, 0)),
  onValues('Mod', ['i32'], 'takes the dividend’s sign', [dividends, divisors], (a, b) => fm.mod(a, b, 1)),
  onValues('Mod', ['u32'], 'beyond 2³¹', [largeDividends, largeDivisors], (a, b) => fm.mod(a, b, 0)),
  onValues(
    'Mod',
    floats,
    'takes the dividend’s sign',
    [
      [7, -7, 7, -7, 0.5],
      [2, 2, -2, -2, 3],
    ],
    (a, b) => fm.mod(a, b, 1),
  ),
  onValues('ReduceSum', ['i32'], 'wraps around', [[highest, highest, 3]], (x) => x.sum()),
  onValues('ReduceSum', ['u32'], 'wraps around', [[top, top, 3]], (x) => x.sum()),
  onValues('ReduceMax', ['i32'], 'the ends of the range', [[lowest, lowest]], (x) => fm.reduceMax(x)),
  onValues('ReduceMin', ['i32'], 'the ends of the range', [[highest, highest]], (x) => fm.reduceMin(x)),
  // Adjacent integers that are equal in f32.
  onValues('ReduceMax', ['i32'], 'neighbours beyond 2²⁴', [[2 ** 24 + 2, 2 ** 24 + 3, -5]], (x) => fm.reduceMax(x)),
  onValues('ReduceMin', ['i32'], 'neighbours beyond 2²⁴', [[-(2 ** 24) - 2, -(2 ** 24) - 3]], (x) => fm.reduceMin(x)),
  onValues('ReduceSum', ['i32'], 'beyond 2²⁴', [[2 ** 24 + 1, 2 ** 25 + 1, 1]], (x) => x.sum()),
  onValues('ReduceMax', ['u32'], 'the ends of the range', [[0, top, 1]], (x) => fm.reduceMax(x)),
  onValues('ReduceMin', ['u32'], 'the ends of the range', [[top, 2 ** 31]], (x) => fm.reduceMin(x)),
  {
    operator: 'MatMul',
    dtypes: ['i32', 'u32'],
    rows: (dtype) => [
      {
        what: 'wraps around',
        uses: [
          {
            what: 'products beyond 2⁵³',
            operands: () => [
              given([1_000_000_007, 998_244_353, 3, 65537], dtype, [2, 2]),
              given([1_999_999_973, 5, 1_000_000_009, 7], dtype, [2, 2]),
            ],
            formula: fm.matmul,
          },
        ],
      },
    ],
  },
  {
    operator: 'Constant',
    dtypes: numeric,
    rows: (dtype) => [
      {
        what: 'the ends of the range',
        uses: [
          {
            what: 'as it was written',
            operands: () => [],
            formula: () =>
              dtype === 'i32' || dtype === 'u32'
                ? fm.constant(dtype === 'i32' ? [lowest, highest, -1] : [0, top, 2 ** 31], dtype)
                : fm.constant([Number.NaN, Infinity, -Infinity, 2 ** 127, 1 / 3, 2 ** -126, 16777217], dtype),
          },
        ],
      },
    ],
  },
];
