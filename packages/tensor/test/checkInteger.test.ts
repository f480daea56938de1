import { expect } from 'chai';
import { checkPositiveInteger, hostArray, largestCount, OptionError } from '../src/index.ts';

describe('counts', () => {
  it('are integers from 1 to the largest i32, or to a bound of their own', () => {
    for (const value of [0, -1, 1.5, NaN, Infinity, 1e300, 2 ** 53, largestCount + 1])
      expect(() => checkPositiveInteger('count', value), `${value}`)
        .to.throw(OptionError, `count is ${value}. Expected an integer from 1 to 2147483647.`)
        .with.deep.property('actual', value);
    for (const value of [1, largestCount]) checkPositiveInteger('count', value);
    checkPositiveInteger('count', 8, 8);
    expect(() => checkPositiveInteger('count', 9, 8)).to.throw(OptionError, 'from 1 to 8');
  });

  it('in shapes are safe integers', () => {
    expect(() => hostArray(new Float32Array(1), [2 ** 53, 0])).to.throw('is not a shape');
  });
});
