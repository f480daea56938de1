import { expect } from 'chai';

/** Every element within `tolerance` of what is expected, relative where that is above 1. NaN is never close. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what = 'values',
): void {
  expect(actual.length, `number of ${what}`).to.equal(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]) / Math.max(1, Math.abs(expected[i]));
    expect(error <= tolerance, `${what}[${i}] is ${actual[i]}, expected ${expected[i]} (error ${error})`).to.equal(
      true,
    );
  }
}
