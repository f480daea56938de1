import { expect } from 'chai';
import { DataError } from '../src/errors.ts';

describe('an error', () => {
  it('shows the beginning of a problem that has millions of characters, and how many there are', () => {
    const { message } = new DataError(`It holds ${'x'.repeat(3_000_000)}.`, { expected: 'a number' });
    expect(message).to.match(/^It holds x+… \(3000010 characters\) Expected a number\.$/);
    expect(message.length).to.be.below(11_000);
  });
});
