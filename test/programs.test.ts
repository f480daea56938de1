import { type Flow, type VectorFieldModel } from '@flow-matching/core';
import { createReferenceBackend, hostArray, type Backend } from '@flow-matching/tensor';
import { onnx } from '@flow-matching/backend-onnx';
import { dopri5, euler, midpoint } from '@flow-matching/plugins';
import { expect } from 'chai';
import { countingBackend, type Compilations } from './support/countingBackend.ts';
import { points, smallFlow } from './support/flows.ts';

/** dx/dt = factor · x · w, a model whose formula depends on a number in its closure. */
const linear = (factor: number): VectorFieldModel => ({
  name: 'linear',
  init: () => ({ w: hostArray([1]) }),
  apply: (parameters, { x }) => x.mul((parameters as { w: typeof x }).w.reshape([])).mul(factor),
});
const weight = (value: number) => ({ w: hostArray([value]) });

describe('compiled programs of a flow', () => {
  let backend: Backend;
  let counts: Compilations;
  let flow: Flow;
  beforeEach(async () => {
    ({ backend, counts } = countingBackend(createReferenceBackend()));
    flow = await smallFlow(backend, { model: linear(1) });
    flow.load(weight(1), { shape: [2] });
  });
  afterEach(async () => {
    await flow.dispose();
    expect(counts.live).to.equal(0);
    await backend.dispose();
  });

  it('are compiled once for equal solvers made anew, whatever their tolerances', async () => {
    await flow.sample(4, { solver: dopri5() });
    const { made } = counts;
    for (let i = 0; i < 5; i++) await flow.sample(4, { solver: dopri5({ rtol: 1e-4 + i * 1e-5 }) });
    expect(counts.made).to.equal(made);
    await flow.logLikelihood(points([[1, 2]]), { solver: dopri5(), divergence: 'exact' });
    const scored = counts.made;
    await flow.logLikelihood(points([[3, 4]]), { solver: dopri5(), divergence: 'exact' });
    expect(counts.made).to.equal(scored);
  });

  it('are compiled once for callers at the same time', async () => {
    const drawn = await Promise.all([1, 2, 3].map((seed) => flow.sample(4, { solver: dopri5(), seed })));
    const { made } = counts;
    const again = await flow.sample(4, { solver: dopri5(), seed: 2 });
    expect(counts.made).to.equal(made).and.to.equal(2);
    expect(Array.from(drawn[1].samples.data)).to.deep.equal(Array.from(again.samples.data));
  });

  it('differ for points of another shape', async () => {
    const solver = euler({ steps: 3 });
    expect((await flow.sample(5, { solver })).samples.shape).to.deep.equal([5, 2]);
    await flow.logLikelihood(points([[1, 2]]), { solver, divergence: 'exact' });
    flow.load(weight(1), { shape: [3] });
    expect((await flow.sample(5, { solver })).samples.shape).to.deep.equal([5, 3]);
    const { latent } = await flow.logLikelihood(points([[1, 2, 3]]), { solver, divergence: 'exact' });
    expect(latent.shape).to.deep.equal([1, 3]);
    flow.load(weight(1), { shape: [2] });
    expect((await flow.sample(5, { solver })).samples.shape).to.deep.equal([5, 2]);
  });

  it('differ for models that differ only in their closure', async () => {
    const solver = midpoint({ steps: 4 });
    const source = points([[1, -1]]);
    const other = await smallFlow(backend, { model: linear(2) });
    other.load(weight(1), { shape: [2] });
    const [once, twice] = [await flow.sample(1, { solver, source }), await other.sample(1, { solver, source })];
    await other.dispose();
    // The midpoint rule grows by 1 + hλ + (hλ)²/2 a step.
    const growth = (rate: number): number => (1 + rate / 4 + (rate / 4) ** 2 / 2) ** 4;
    expect(once.samples.data[0]).to.be.closeTo(growth(1), 1e-5);
    expect(twice.samples.data[0]).to.be.closeTo(growth(2), 1e-5);
  });

  it('differ for other divergences', async () => {
    const solver = euler({ steps: 2 });
    const ways = [
      { divergence: 'exact' },
      { divergence: 'hutchinson' },
      { divergence: 'hutchinson', probes: 2 },
      { divergence: 'hutchinson', probes: 2, distribution: 'gaussian' },
    ] as const;
    for (const way of ways) await flow.logLikelihood(points([[1, 2]]), { solver, ...way });
    // Four programs that begin a solve, and three of a step: it is fed the probes, wherever they were drawn from.
    expect(counts.made).to.equal(7);
    await flow.logLikelihood(points([[1, 2]]), { solver, divergence: 'hutchinson', probes: 1 });
    expect(counts.made).to.equal(7);
  });

  it('stay few over many calls, all of them different', async () => {
    for (let i = 0; i < 90; i++) {
      const trajectory = 2 + (i % 45);
      await flow.sample(1 + (i % 3), { solver: euler({ steps: 1 }), trajectory });
      expect(counts.live).to.be.at.most(32);
    }
    expect(counts.made).to.be.greaterThan(90);
  });

  it('are compiled again where compilation failed before', async () => {
    let failing = true;
    const { backend: counted } = countingBackend(createReferenceBackend());
    const failingOnce: Backend = {
      ...counted,
      array: (source) => counted.array(source),
      compile: (graph, options) =>
        failing ? Promise.reject(new Error('out of memory')) : counted.compile(graph, options),
    };
    const own = await smallFlow(failingOnce, { model: linear(1) });
    own.load(weight(1), { shape: [2] });
    const failure = await own.sample(2).catch((error: unknown) => error);
    expect((failure as Error).message).to.equal('out of memory');
    failing = false;
    expect((await own.sample(2)).samples.shape).to.deep.equal([2, 2]);
    await own.dispose();
    await counted.dispose();
  });

  it('use the parameters that were loaded last', async () => {
    const solver = euler({ steps: 1 });
    const source = points([[1, 1]]);
    expect((await flow.sample(1, { solver, source })).samples.data[0]).to.equal(2);
    flow.load(weight(3), { shape: [2] });
    expect((await flow.sample(1, { solver, source })).samples.data[0]).to.equal(4);
  });

  it('of steps are bound to the parameters, once for all solves with them', async () => {
    const solver = euler({ steps: 3 });
    await flow.sample(4, { solver });
    expect(counts.bound).to.equal(1);
    await flow.sample(4, { solver, seed: 1 });
    expect(counts.bound).to.equal(1);
    await flow.logLikelihood(points([[1, 2]]), { solver, divergence: 'exact' });
    expect(counts.bound).to.equal(2);
    flow.load(weight(2), { shape: [2] });
    await flow.sample(4, { solver });
    expect(counts.bound).to.equal(3);
  });

  it('run on ONNX Runtime with prepacked parameters as they do without', async () => {
    const drawn: Float32Array[] = [];
    for (const prepack of [false, true]) {
      await using own = onnx({ threads: 1, prepack });
      await using trained = await smallFlow(own, { model: linear(1) });
      trained.load(weight(0.5), { shape: [2] });
      await trained.sample(4, { solver: euler({ steps: 3 }) });
      trained.load(weight(2), { shape: [2] });
      drawn.push((await trained.sample(4, { solver: euler({ steps: 3 }), seed: 5 })).samples.data as Float32Array);
    }
    drawn[0].forEach((value, i) => expect(drawn[1][i]).to.be.closeTo(value, 1e-5 * Math.abs(value)));
  });
});
