import { expect } from 'chai';
import { bundleLibrary, sizeBudget } from '../browser/bundleLibrary.ts';

describe('the library as one ES module for browsers', () => {
  it('is within its budget', async function () {
    const { gzipBytes } = await bundleLibrary();
    this.test!.title += `: ${(gzipBytes / 1000).toFixed(1)} of ${sizeBudget / 1000} kB gzip`;
    expect(gzipBytes).to.be.within(50_000, sizeBudget);
  });
});
