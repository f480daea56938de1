import { OptionError } from '@flow-matching/core';

/** @throws OptionError for a count that no pair can be made of. */
export function atLeastTwo(name: string, count: number): void {
  if (count >= 2) return;
  throw new OptionError(`The estimator '${name}' cannot work with ${count} points.`, {
    actual: count,
    expected: '2 or more',
  });
}
