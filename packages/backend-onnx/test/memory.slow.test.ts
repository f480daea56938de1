import { expect } from 'chai';
import { onnx } from '@flow-matching/backend-onnx';
import { growthOver } from './support/steps.ts';

describe('memory, at length', () => {
  it('does not grow over ten thousand steps', async function () {
    this.timeout(120_000);
    await using backend = onnx({ threads: 1 });
    const growth = await growthOver(backend, 1000, 10_000);
    expect(growth.rss).to.be.below(24e6);
    expect(growth.external).to.be.below(8e6);
  });
});
