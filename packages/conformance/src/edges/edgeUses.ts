import { type DType, type HostArray, type Shape, hostArray, toStorage } from '@flow-matching/tensor';
import type { Formula } from '../case/agreement.ts';
import type { Limit } from '../case/limit.ts';
import type { LimitOf, Row } from '../case/use.ts';

/** Rows at the edges of one operator's domain, for the dtypes that have them. */
export interface EdgeUses {
  readonly operator: string;
  readonly dtypes: readonly DType[];
  readonly rows: (dtype: DType) => readonly Row[];
}

/** An array of given values. */
export const given = (values: readonly number[], dtype: DType, shape: Shape = [values.length]): HostArray =>
  hostArray(toStorage(values, dtype), shape, dtype);

/** One operator on given values, one list per operand, all of equal length. */
export const onValues = (
  operator: string,
  dtypes: readonly DType[],
  what: string,
  operands: readonly (readonly number[])[],
  formula: Formula,
  limit?: Limit | LimitOf,
): EdgeUses => ({
  operator,
  dtypes,
  rows: (dtype) => [
    { what, uses: [{ what, operands: () => operands.map((values) => given(values, dtype)), formula, limit }] },
  ],
});

/** Like {@link onValues}, with values that depend on the dtype. */
export const onValuesOf = (
  operator: string,
  dtypes: readonly DType[],
  what: string,
  operandsOf: (dtype: DType) => readonly (readonly number[])[],
  formula: Formula,
  limit?: Limit | LimitOf,
): EdgeUses => ({
  operator,
  dtypes,
  rows: (dtype) => onValues(operator, dtypes, what, operandsOf(dtype), formula, limit).rows(dtype),
});

/** Every value with every other: the operands of a binary operator. */
export const everyPair = (values: readonly number[]): readonly [number[], number[]] => [
  values.flatMap((value) => values.map(() => value)),
  values.flatMap(() => [...values]),
];
