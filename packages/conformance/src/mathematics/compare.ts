import type { HostArray } from '@flow-matching/tensor';
import type { CaseContext } from '../case/conformanceCase.ts';
import type { Limit } from '../case/limit.ts';
import { compareArrays } from '../case/measurement.ts';

/** Measures an f32 result of the backend against values known in f64, row-major in the same shape. */
export function compare(
  context: CaseContext,
  what: string,
  actual: HostArray,
  expected: ArrayLike<number>,
  limit: Limit,
  inputOf?: (index: number) => string,
): void {
  const { shape } = actual;
  context.measure(compareArrays(what, actual, { data: expected, shape, dtype: 'f32' }, limit, inputOf));
}
