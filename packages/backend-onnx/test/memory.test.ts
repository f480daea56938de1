import { expect } from 'chai';
import { onnx } from '@flow-matching/backend-onnx';
import { growthOver } from './support/steps.ts';

describe('memory', () => {
  it('does not grow over a thousand steps', async () => {
    await using backend = onnx({ threads: 1 });
    const growth = await growthOver(backend, 300, 1000);
    // One set of parameters that leaked at each step would be 160 MB.
    expect(growth.rss).to.be.below(24e6);
    expect(growth.external).to.be.below(8e6);
  });
});
