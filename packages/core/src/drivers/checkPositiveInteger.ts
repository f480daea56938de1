import { OptionError } from '@flow-matching/tensor';

/** @throws OptionError naming the option. */
export function checkPositiveInteger(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw new OptionError(`${name} is ${value}.`, { actual: value, expected: 'an integer of 1 or more' });
}
