import { MemoryError, OptionError } from './errors.ts';
import { largestArray, largestCount } from './limits.ts';

export interface IntegerRange {
  readonly least?: number;
  readonly largest?: number;
}

/** @throws OptionError with this problem, unless the value is an integer in the range (default: 1 to 2³¹ − 1). */
export function checkInteger(
  problem: string,
  value: number,
  { least = 1, largest = largestCount }: IntegerRange = {},
): void {
  if (Number.isInteger(value) && value >= least && value <= largest) return;
  throw new OptionError(problem, { actual: value, expected: `an integer from ${least} to ${largest}` });
}

/** @throws OptionError naming the option, unless its value is an integer from 1 to `largest` (default: 2³¹ − 1). */
export function checkPositiveInteger(name: string, value: number, largest = largestCount): void {
  checkInteger(`${name} is ${value}.`, value, { largest });
}

/** @throws MemoryError if a typed array cannot hold so many elements. */
export function checkArrayLength(what: string, elements: number): void {
  if (elements <= largestArray) return;
  throw new MemoryError(`${what} would take an array of ${elements} numbers.`, {
    actual: elements,
    expected: `at most ${largestArray}`,
    remedy: 'Request fewer at a time.',
  });
}
