import { expect } from 'chai';
import { runDocument } from './support/runDocument.ts';

describe('docs/webgpu.md', () => {
  it('runs as it stands', async function () {
    this.timeout(60_000);
    const { logged } = await runDocument('docs/webgpu.md');
    const [first, second, shape, ...kernels] = logged;
    expect([first[0], second[0]]).to.deep.equal([10, 20]);
    expect(shape).to.deep.equal([[100, 2]]);
    expect(kernels.map(([label]) => label)).to.deep.equal(['MatMul', 'ReduceMax+ReduceSum+Div']);
    for (const kernel of kernels) expect(kernel[3]).to.be.at.least(0);
  });
});
