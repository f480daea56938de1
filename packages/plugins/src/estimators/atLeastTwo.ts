import { OptionError } from '@flow-matching/tensor';

/** @throws OptionError for a count below 2, which makes no pair. */
export function atLeastTwo(name: string, count: number): void {
  if (count >= 2) return;
  throw new OptionError(`The estimator '${name}' cannot work with ${count} points.`, {
    actual: count,
    expected: '2 or more',
  });
}
