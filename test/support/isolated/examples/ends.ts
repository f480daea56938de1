import { expect } from 'chai';

describe('outer', () => {
  it('passes', () => expect(1).to.equal(1));
  it('fails', () => expect([1, 2]).to.deep.equal([1, 3]));
  it('is skipped');

  describe('inner', () => {
    it('has a fault that no assertion sees', () => {
      (globalThis as { faults?: string[] }).faults = ['a fault'];
    });
    after(() => {
      throw new Error('broken hook');
    });
  });
});
