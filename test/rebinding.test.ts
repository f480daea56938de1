import { BACKEND, bindFlow, Flow, PATH, SOLVER, type VectorFieldModel } from '@flow-matching/core';
import { createReferenceBackend, hostArray } from '@flow-matching/tensor';
import { conditionalFlowMatching, euler, independent, optimalTransport, uniform } from '@flow-matching/plugins';
import { expect } from 'chai';
import { Container } from 'inversify';
import { countingBackend } from './support/countingBackend.ts';

const linear: VectorFieldModel = {
  name: 'linear',
  init: () => ({ w: hostArray([1]) }),
  apply: (parameters, { x }) => x.mul((parameters as { w: typeof x }).w.reshape([])),
};

describe('rebinding a part of a flow', () => {
  const [first, second] = [countingBackend(createReferenceBackend()), countingBackend(createReferenceBackend())];
  let container: Container;
  beforeEach(async () => {
    container = await bindFlow(new Container(), {
      backend: first.backend,
      path: optimalTransport(),
      coupling: independent(),
      objective: conditionalFlowMatching(),
      timeSampler: uniform(),
      model: linear,
      solver: euler({ steps: 2 }),
    });
  });
  after(async () => {
    await first.backend.dispose();
    await second.backend.dispose();
  });

  it('gives one flow as long as nothing changes', () => {
    expect(container.get(Flow)).to.equal(container.get(Flow));
  });

  it('swaps the backend after the first flow was made, and leaves that flow alone', async () => {
    const before = container.get(Flow);
    before.load({ w: hostArray([1]) }, { shape: [2] });
    const drawn = await before.sample(3, { seed: 1 });
    const runs = first.counts.runs;
    container.rebind(BACKEND).toConstantValue(second.backend);
    const after = container.get(Flow);
    expect(after).to.not.equal(before);
    expect(after.backend).to.equal(second.backend);
    after.load(await before.parameters(), before.context);
    const again = await after.sample(3, { seed: 1 });
    expect(Array.from(again.samples.data)).to.deep.equal(Array.from(drawn.samples.data));
    expect(first.counts.runs).to.equal(runs);
    expect(second.counts.runs).to.be.greaterThan(0);
    expect((await before.sample(3, { seed: 1 })).samples.shape).to.deep.equal([3, 2]);
    await before.dispose();
    await after.dispose();
  });

  it('swaps any part that drivers ask for', () => {
    const before = container.get(Flow);
    const [path, solver] = [optimalTransport({ sigmaMin: 0.1 }), euler({ steps: 7 })];
    container.rebind(PATH).toConstantValue(path);
    container.rebind(SOLVER).toConstantValue(solver);
    const after = container.get(Flow);
    expect(after).to.not.equal(before);
    expect([after.path, after.solver]).to.deep.equal([path, solver]);
    expect(container.get(Flow)).to.equal(after);
  });
});
