import * as fm from '@flow-matching/tensor';
import { formatShape, type ReduceOptions, type Shape, type Tensor } from '@flow-matching/tensor';
import type { LimitOf, Row } from '../case/use.ts';
import { logOfSum, squaredDeviations, summed } from './accuracy.ts';
import { floats, numeric } from './dtypes.ts';
import type { OperatorUses } from './operatorUses.ts';

type Reduce = (x: Tensor, axes?: number | readonly number[], options?: ReduceOptions) => Tensor;

interface Reduction {
  readonly shape: Shape;
  /** Default: all axes. */
  readonly axes?: readonly number[];
}

const reductions: Readonly<Record<string, readonly Reduction[]>> = {
  'all axes': [{ shape: [6] }, { shape: [2, 3, 4] }, { shape: [1] }],
  'the last axis': [
    { shape: [3, 4], axes: [1] },
    { shape: [2, 3, 4], axes: [-1] },
    { shape: [5, 300], axes: [1] },
  ],
  'leading axes': [
    { shape: [3, 4], axes: [0] },
    { shape: [40, 5], axes: [0] },
    { shape: [8, 9, 5, 2], axes: [0, 1] },
  ],
  'an axis in the middle': [
    { shape: [2, 3, 4], axes: [1] },
    { shape: [2, 70, 3, 2], axes: [1, 2] },
  ],
  'axes apart': [
    { shape: [2, 3, 4], axes: [0, 2] },
    { shape: [2, 3, 4, 5], axes: [1, 3] },
  ],
  'axes of extent 1': [
    { shape: [2, 1, 4], axes: [1] },
    { shape: [2, 1, 4], axes: [1, 2] },
    { shape: [1, 1], axes: [0] },
  ],
  'six axes': [
    { shape: [2, 3, 2, 2, 2, 3], axes: [1, 3, 5] },
    { shape: [2, 3, 2, 2, 2, 3], axes: [0, 2] },
  ],
  'more than one group of threads': [{ shape: [2, 1031], axes: [1] }, { shape: [1031] }],
};

const lengthOf = ({ shape, axes }: Reduction): number =>
  (axes ?? shape.map((_, axis) => axis)).reduce((length, axis) => length * shape.at(axis)!, 1);

/** Every reduction with and without `keepdims`. */
function rows(reduce: Reduce, limitOf?: (formula: (x: Tensor) => Tensor, length: number) => LimitOf): Row[] {
  return Object.entries(reductions).map(([what, list]) => ({
    what,
    uses: list.flatMap((reduction) =>
      [false, true].map((keepdims) => {
        const { shape, axes } = reduction;
        const formula = (x: Tensor): Tensor => reduce(x, axes, { keepdims });
        return {
          what: `${formatShape(shape)} over ${axes ? formatShape(axes) : 'all axes'}${keepdims ? ', kept' : ''}`,
          operands: (draw) => [draw.array(shape)],
          formula,
          limit: limitOf?.(formula, lengthOf(reduction)),
        };
      }),
    ),
  }));
}

/** Operators and composites that reduce over axes. */
export const reductionUses: readonly OperatorUses[] = [
  { operator: 'ReduceSum', dtypes: numeric, rows: () => rows(fm.reduceSum, summed) },
  { operator: 'ReduceMax', dtypes: numeric, rows: () => rows(fm.reduceMax) },
  { operator: 'ReduceMin', dtypes: numeric, rows: () => rows(fm.reduceMin) },
  // The division is 2.5 ulp.
  {
    operator: 'ReduceMean',
    dtypes: floats,
    rows: () => rows(fm.mean, (formula, length) => summed(formula, length, 6)),
  },
  { operator: 'Variance', dtypes: floats, rows: () => rows(fm.variance, (_, length) => squaredDeviations(length)) },
  {
    operator: 'ReduceLogSumExp',
    dtypes: floats,
    rows: () => rows(fm.logSumExp, (_, length) => logOfSum(length, 8)),
  },
];
