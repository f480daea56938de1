import * as fm from '@flow-matching/tensor';
import type { Tensor } from '@flow-matching/tensor';
import { selu } from '@flow-matching/plugins';
import { ulps, type Limit } from '../case/limit.ts';
import type { LimitOf } from '../case/use.ts';
import * as accuracy from '../operators/accuracy.ts';
import { floats } from '../operators/dtypes.ts';
import { everyPair, onValues, type EdgeUses } from './edgeUses.ts';

const { NaN: none } = Number;
const infinite = Infinity;

const unary = (operator: string, values: readonly number[], formula: (x: Tensor) => Tensor, limit?: Limit | LimitOf) =>
  onValues(operator, floats, 'NaN and infinities', [values], formula, limit);

const [usual, pairs] = [[none, infinite, -infinite, 0, 1, -1], everyPair([none, infinite, -infinite, 0, 1, -2])];

const binary = (
  operator: string,
  formula: (a: Tensor, b: Tensor) => Tensor,
  limit?: Limit | LimitOf,
  operands: readonly (readonly number[])[] = pairs,
) => onValues(operator, floats, 'NaN and infinities', operands, formula, limit);

/**
 * Results for NaN and infinities: as in IEEE 754 for its operations, and the function's limits for others. Left out are the
 * sign of NaN and extrema over axes with NaN, which core leaves undefined.
 */
export const specialValues: readonly EdgeUses[] = [
  binary('Add', fm.add),
  binary('Sub', fm.sub),
  binary('Mul', fm.mul),
  binary('Div', fm.div, accuracy.division),
  binary('Max', fm.maximum),
  binary('Min', fm.minimum),
  binary('Mod', (a, b) => fm.mod(a, b, 1)),
  binary('Pow', fm.pow, ulps(16)),
  binary('Equal', fm.equal),
  binary('Less', fm.less),
  binary('LessOrEqual', fm.lessOrEqual),
  onValues(
    'Mul',
    floats,
    'by a constant zero',
    [usual],
    // x·0 must not be simplified at compile time.
    (x) => x.mul(0),
  ),
  onValues('Sub', floats, 'of a value from itself', [usual], (x) => x.sub(x)),

  unary('Neg', usual, fm.neg),
  unary('Abs', usual, fm.abs),
  unary('Sign', [infinite, -infinite, 0, 2, -2], fm.sign),
  unary('Floor', [...usual, 0.5, -0.5], fm.floor),
  unary('Round', [...usual, 0.5, -0.5, 1.5, 2.5], fm.round),
  unary('Reciprocal', usual, fm.reciprocal, accuracy.division),
  unary('Sqrt', usual, fm.sqrt, accuracy.squareRoot),
  unary('Exp', usual, fm.exp, accuracy.exponential),
  unary('Log', usual, fm.log, accuracy.logarithm),
  unary('Expm1', usual, fm.expm1, accuracy.exponentialLessOne),
  unary('Log1p', [...usual, -2], fm.log1p, accuracy.logarithmOfOnePlus),
  unary('Sin', usual, fm.sin, accuracy.circular),
  unary('Cos', usual, fm.cos, accuracy.circular),
  unary('Tanh', usual, fm.tanh, accuracy.hyperbolicTangent),
  unary('Sigmoid', usual, fm.sigmoid, accuracy.logistic),
  unary('Erf', usual, fm.erf, accuracy.errorFunction),
  unary('IsNaN', usual, fm.isNaN),
  unary('Relu', usual, fm.relu),
  unary('Softplus', usual, fm.softplus, accuracy.softplus),
  unary('Identity', usual, fm.identity),
  // At −∞ these are 0·∞.
  unary('Silu', [none, infinite, 0, 1, -1], fm.silu, accuracy.scaledLogistic),
  unary('Gelu', [none, infinite, 0, 1, -1], (x) => fm.gelu(x), accuracy.gelu),
  unary('Selu', usual, selu, ulps(13)),

  {
    operator: 'Where',
    dtypes: floats,
    rows: () => [
      {
        what: 'the branch not taken',
        uses: [
          {
            what: 'NaN and infinities that are not chosen',
            operands: () => [fm.hostArray(Uint8Array.of(1, 0, 1, 0)), fm.hostArray([1, 2, 3, 4])],
            formula: (condition, x) => {
              const nothing = x.sub(x).div(x.sub(x));
              return [
                fm.where(condition, x, nothing),
                fm.where(condition, nothing, x),
                fm.where(condition, x, infinite),
              ];
            },
          },
        ],
      },
    ],
  },
  {
    operator: 'MatMul',
    dtypes: floats,
    rows: () => [
      {
        what: 'NaN and infinities',
        uses: [
          {
            what: 'zero times infinity among the products',
            operands: (draw) => [
              draw.array([2, 2], [1, 2]),
              fm.hostArray(fm.toStorage([infinite, 1, none, 0, 1, 2], draw.dtype), [2, 3], draw.dtype),
            ],
            formula: (a, b) => [a.matmul(b), a.mul(0).matmul(b)],
            limit: ulps(16),
          },
        ],
      },
    ],
  },
  {
    operator: 'ReduceSum',
    dtypes: floats,
    rows: () => [
      {
        what: 'NaN and infinities',
        uses: [
          {
            what: 'rows with one, the other, both and neither',
            operands: ({ dtype }) => [
              fm.hostArray(
                fm.toStorage([1, none, 2, 1, infinite, 2, infinite, -infinite, 0, 1, 2, 3], dtype),
                [4, 3],
                dtype,
              ),
            ],
            formula: (x) => fm.reduceSum(x, 1),
          },
        ],
      },
    ],
  },
  ...(['ReduceMax', 'ReduceMin'] as const).map((operator): EdgeUses => ({
    operator,
    dtypes: floats,
    rows: () => [
      {
        what: 'infinities',
        uses: [
          {
            what: 'rows of them',
            operands: ({ dtype }) => [
              fm.hostArray(
                fm.toStorage([infinite, infinite, -infinite, -infinite, infinite, -infinite, -infinite, 3], dtype),
                [4, 2],
                dtype,
              ),
            ],
            formula: (x) => (operator === 'ReduceMax' ? fm.reduceMax : fm.reduceMin)(x, 1),
          },
        ],
      },
    ],
  })),
];
