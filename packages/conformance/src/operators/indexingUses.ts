import * as fm from '@flow-matching/tensor';
import { formatShape, type DType, type Shape, type Tensor } from '@flow-matching/tensor';
import type { Row, Use } from '../case/use.ts';
import { summed } from './accuracy.ts';
import { all, numeric } from './dtypes.ts';
import type { OperatorUses } from './operatorUses.ts';

interface Picks {
  readonly data: Shape;
  readonly indices: Shape;
  readonly axis: number;
}

const picks: readonly Picks[] = [
  { data: [5, 3], indices: [4], axis: 0 },
  { data: [3, 5], indices: [2, 2], axis: 1 },
  { data: [3, 5, 2], indices: [6], axis: 1 },
  { data: [5], indices: [], axis: 0 },
  { data: [70, 9], indices: [300], axis: 0 },
  { data: [2, 3, 2, 5, 2, 3], indices: [4], axis: 3 },
];

const describe = ({ data, indices, axis }: Picks): string =>
  `${formatShape(indices)} of ${formatShape(data)} along ${axis}`;

function gathered(pick: Picks): Use {
  const { data, indices, axis } = pick;
  return {
    what: describe(pick),
    operands: (draw) => [draw.array(data), draw.of('i32').array(indices, [0, data[axis]])],
    formula: (x, i) => fm.gather(x, i, axis),
  };
}

/** Indices repeat if there are more of them than positions; this many updates may accumulate in one. */
function scattered(pick: Picks): Use {
  const { data, indices, axis } = pick;
  const updates = [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)];
  const formula = (x: Tensor, i: Tensor, u: Tensor): Tensor => fm.scatterAdd(x, i, u, axis);
  return {
    what: describe(pick),
    operands: (draw) => [draw.array(data), draw.of('i32').array(indices, [0, data[axis]]), draw.array(updates)],
    formula,
    limit: summed(formula, fm.sizeOf(indices)),
  };
}

/** A range is a constant: it has no inputs. */
const ranges = (dtype: DType): Row => ({
  what: 'ranges',
  uses: [
    { what: 'up', operands: () => [], formula: () => fm.range(0, 7, 1, dtype) },
    { what: 'down by twos', operands: () => [], formula: () => fm.range(9, 1, -2, dtype) },
    { what: 'a step that does not divide', operands: () => [], formula: () => fm.range(1, 9, 3, dtype) },
  ],
});

const constants = (dtype: DType): Row => ({
  what: 'values',
  uses: [
    {
      what: 'a matrix',
      operands: () => [],
      formula: () =>
        fm.constant(
          [
            [1, 0, 1],
            [0, 0, 1],
          ],
          dtype,
        ),
    },
    { what: 'a number', operands: () => [], formula: () => fm.constant(1, dtype) },
    { what: 'one in three halves', operands: () => [], formula: () => fm.constant([0.1, 1 / 3], dtype) },
  ],
});

/** Operators with indices along an axis, and operators without inputs. */
export const indexingUses: readonly OperatorUses[] = [
  { operator: 'Gather', dtypes: all, rows: () => [{ what: 'picks', uses: picks.map(gathered) }] },
  { operator: 'ScatterAdd', dtypes: numeric, rows: () => [{ what: 'updates', uses: picks.map(scattered) }] },
  { operator: 'Range', dtypes: numeric, rows: (dtype) => [ranges(dtype)] },
  { operator: 'Constant', dtypes: all, rows: (dtype) => [constants(dtype)] },
];
