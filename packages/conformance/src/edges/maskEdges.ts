import * as fm from '@flow-matching/tensor';
import type { Tensor } from '@flow-matching/tensor';
import type { Draw } from '../case/draw.ts';
import type { Row } from '../case/use.ts';
import { logOfSum, softmaxWeights } from '../operators/accuracy.ts';
import { floats } from '../operators/dtypes.ts';
import { given, type EdgeUses } from './edgeUses.ts';
import { close, unitRoundOff } from '../case/limit.ts';

const hidden = -Infinity;
/** No row is fully masked: core leaves its softmax undefined. */
const scores = [1, hidden, 2, 0.5, hidden, hidden, hidden, 3, -1, -2, 0, hidden];
const farApart = [1e30, -1e30, 0, 0, -1e30, -1e30, 80, 90, 100, 1e-30, 0, -1e-30];

const rowsOf = (formula: (x: Tensor) => Tensor, limit: typeof softmaxWeights): Row[] => [
  {
    what: 'masked scores',
    uses: [
      {
        what: 'some of −∞',
        operands: ({ dtype }) => [given(scores, dtype, [3, 4])],
        formula,
        limit: limit(4, 4),
      },
    ],
  },
  {
    what: 'scores of any size',
    uses: [
      {
        what: 'from 1e30 to −1e30',
        operands: ({ dtype }) => [given(farApart, dtype, [4, 3])],
        formula,
        // Weights are 1, or belong to scores close to one another.
        limit: limit(3, 20),
      },
    ],
  },
];

const everyRow = [1, hidden, 2, hidden, hidden, hidden, Infinity, 1, 2, Infinity, hidden, 0, 1e30, -1e30, 1e30];

/** Keys that each of four queries attends to: all, one, none, two. */
const seen = [1, 1, 1, 0, 0, 1, 0, 0, 0, 1, 0, 1];

const tokens = (draw: Draw) => [
  draw.array([1, 2, 4, 4], [-1, 1]),
  draw.array([1, 2, 3, 4], [-1, 1]),
  // The values of the second key are far from those that some queries should attend to alone.
  given(
    Array.from({ length: 18 }, (_, i) => (Math.floor(i / 3) % 3 === 1 ? 1000 : 1) * ((i % 5) - 2)),
    draw.dtype,
    [1, 2, 3, 3],
  ),
];

/** Partial and full masks of −∞, and scores that overflow exp. */
export const maskEdges: readonly EdgeUses[] = [
  { operator: 'Softmax', dtypes: floats, rows: () => rowsOf((x) => fm.softmax(x), softmaxWeights) },
  { operator: 'LogSoftmax', dtypes: floats, rows: () => rowsOf((x) => fm.logSoftmax(x), logOfSum) },
  {
    operator: 'ReduceLogSumExp',
    dtypes: floats,
    rows: () => [
      {
        what: 'infinities and large scores',
        uses: [
          {
            what: 'rows of one, the other and both',
            operands: ({ dtype }) => [given(everyRow, dtype, [5, 3])],
            formula: (x) => fm.logSumExp(x, 1),
            limit: logOfSum(3, 4),
          },
        ],
      },
    ],
  },
  {
    operator: 'Attention',
    dtypes: floats,
    rows: () => [
      {
        what: 'masks that hide all keys of a row',
        uses: [
          {
            what: 'a bool mask',
            operands: (draw) => [...tokens(draw), given(seen, 'bool', [4, 3])],
            formula: (q, k, v, mask) => fm.scaledDotProductAttention(q, k, v, { mask }),
            limit: attended,
          },
          {
            what: 'a mask that is added',
            operands: (draw) => [
              ...tokens(draw),
              given(
                seen.map((sees, i) => (sees ? i / 8 : hidden)),
                draw.dtype,
                [4, 3],
              ),
            ],
            formula: (q, k, v, mask) => fm.scaledDotProductAttention(q, k, v, { mask }),
            limit: attended,
          },
        ],
      },
    ],
  },
];

/** Rows without keys are 0; others mix values of up to 2000 with weights accurate to a hundred round-offs. */
function attended(expected: fm.HostArray) {
  const mixed = close(2000 * 100 * unitRoundOff(expected.dtype), 0, 'the roundings of weights times values of 2000');
  return {
    ...mixed,
    // Rows that attend to nothing, or to small values only, must not contain any part of the large ones.
    allowance: (dtype: fm.DType, value: number, index: number) =>
      value === 0
        ? 0
        : Math.abs(value) <= 2
          ? mixed.allowance(dtype, value, index) / 1000
          : mixed.allowance(dtype, value, index),
  };
}
