import * as fm from '@flow-matching/tensor';
import type { HostArray } from '@flow-matching/tensor';
import { all, floats, numeric } from '../operators/dtypes.ts';
import { given, onValues, type EdgeUses } from './edgeUses.ts';

const indices = (...values: number[]): HostArray => given(values, 'i32');

/** Indices that count from the end or repeat, and bounds that a slice clamps. Left out: indices out of range. */
export const indexEdges: readonly EdgeUses[] = [
  {
    operator: 'Gather',
    dtypes: all,
    rows: () => [
      {
        what: 'negative indices',
        uses: [
          {
            what: 'along the first axis',
            operands: (draw) => [draw.array([5, 3]), indices(-1, 0, -5, 4, -2)],
            formula: (x, i) => fm.gather(x, i, 0),
          },
          {
            what: 'along the last axis',
            operands: (draw) => [draw.array([2, 4]), indices(-4, -1)],
            formula: (x, i) => fm.gather(x, i, 1),
          },
        ],
      },
    ],
  },
  {
    operator: 'ScatterAdd',
    dtypes: numeric,
    rows: () => [
      {
        what: 'negative and repeated indices',
        uses: [
          {
            // Integers, so that the order of additions does not matter.
            what: 'five updates of two places',
            operands: (draw) => [draw.whole([3, 2]), indices(-1, 2, 2, 0, -3), draw.whole([5, 2])],
            formula: (x, i, u) => fm.scatterAdd(x, i, u, 0),
          },
        ],
      },
    ],
  },
  {
    operator: 'Slice',
    dtypes: all,
    rows: () => [
      {
        what: 'clamped bounds',
        uses: [
          {
            what: 'beyond both ends',
            operands: (draw) => [draw.array([5, 2])],
            formula: (x) => [
              fm.slice(x, [-99, 1], [99, 99]),
              fm.slice(x, [99, 0], [-99, 2], [-2, 1]),
              fm.slice(x, [-2, 0], [5, 2], [1, 7]),
              fm.slice(x, [-1, -1], [-3, -3], [-1, -1]),
            ],
          },
        ],
      },
    ],
  },
  onValues('Pad', floats, 'with infinities', [[1, 2]], (x) => [
    fm.pad(x, [1], [1], -Infinity),
    fm.pad(x, [0], [1], Number.NaN),
    fm.pad(x, [1], [0], 0.1),
  ]),
];
