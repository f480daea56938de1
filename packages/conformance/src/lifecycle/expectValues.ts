import type { BackendArray } from '@flow-matching/tensor';
import type { CaseContext } from '../case/conformanceCase.ts';
import { exact } from '../case/limit.ts';
import { compareArrays, readAs } from '../case/measurement.ts';

/** Reads an array and compares it exactly with the expected numbers. */
export async function expectValues(
  context: CaseContext,
  what: string,
  array: BackendArray,
  expected: readonly number[],
): Promise<void> {
  const { shape, dtype } = array;
  context.measure(
    compareArrays(what, readAs(await array.read(), shape, dtype), { data: expected, shape, dtype }, exact),
  );
}
