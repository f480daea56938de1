import {
  assembleFlow,
  defineEstimator,
  NumericalError,
  SolverError,
  type EstimateRequest,
  type Estimator,
  type Flow,
  type Path,
  type Solver,
} from '@flow-matching/core';
import { createReferenceBackend, hostArray, OptionError, trace, f32 } from '@flow-matching/tensor';
import { expect } from 'chai';
import {
  checkerboard,
  checkerboardDensity,
  conditionalFlowMatching,
  dopri5,
  euler,
  eulerMaruyama,
  functionEvaluations,
  gaussianMixture,
  independent,
  marginalField,
  negativeLogLikelihood,
  optimalTransport,
  points,
  uniform,
  type MarginalDensity,
} from '../src/index.ts';
import { expectClose } from './support/expectClose.ts';
import { oracleCases, pathOf, type PathCase } from './support/oracles.ts';

/** A flow whose field is the exact one of a known distribution. */
async function exactFlow(density: MarginalDensity, path: Path, solver: Solver = dopri5()): Promise<Flow> {
  const flow = await assembleFlow({
    backend: createReferenceBackend(),
    path,
    coupling: independent(),
    objective: conditionalFlowMatching(),
    timeSampler: uniform(),
    model: marginalField(density, path),
    solver,
  });
  flow.load({}, { shape: [density.dimension] });
  return flow;
}

const standard = gaussianMixture({ weights: [1], means: [[2, -1]], stds: [0.5] });
const entropyOfStandard = 1 + Math.log(2 * Math.PI * 0.25);

interface LikelihoodCase extends PathCase {
  readonly mean: number[];
  readonly std: number;
  readonly tEnd: number;
  readonly points: { readonly x: number[]; readonly x0: number[]; readonly logProb: number }[];
}

describe('log-likelihood through the exact field', () => {
  oracleCases<LikelihoodCase>('likelihood').forEach((oracle, i) => {
    it(`agrees with oracle ${i}: ${oracle.path}`, async () => {
      const path = pathOf(oracle);
      await using flow = await exactFlow(
        gaussianMixture({ weights: [1], means: [oracle.mean], stds: [oracle.std] }),
        { ...path, interval: { start: 0, end: oracle.tEnd } },
        dopri5({ rtol: 1e-9, atol: 1e-9 }),
      );
      const x = hostArray(
        oracle.points.flatMap((point) => point.x),
        [oracle.points.length, oracle.mean.length],
      );
      const { logLikelihood, latent } = await flow.logLikelihood(x, { divergence: 'exact' });
      // Points are rounded to f32 when they are fed.
      expectClose(
        logLikelihood,
        oracle.points.map(({ logProb }) => logProb),
        3e-7,
        'log p₁',
      );
      expectClose(
        latent.data,
        oracle.points.flatMap(({ x0 }) => x0),
        3e-7,
        'x0',
      );
    });
  });
});

const sample = async (flow: Flow, count: number) =>
  points({ data: (await flow.sample(count, { seed: 3 })).samples, heldOut: 0.5 });

describe('defineEstimator', () => {
  for (const [what, broken] of [
    ['value', { value: NaN }],
    ['standardError', { standardError: Infinity }],
    ['relative', { details: { relative: -Infinity } }],
  ] as const)
    it(`makes an estimate whose ${what} is not finite an error`, async () => {
      const estimator = defineEstimator({
        name: 'broken',
        create: (): Estimator => ({
          name: 'broken',
          estimate: () => Promise.resolve({ value: 1, count: 1, unit: 'nats', ...broken }),
        }),
      })();
      const failure: unknown = await estimator.estimate({} as EstimateRequest).catch((error: unknown) => error);
      expect(failure).to.be.instanceOf(NumericalError);
      expect((failure as Error).message).to.match(
        new RegExp(`^The estimator 'broken' returned ${what} = (NaN|-?Infinity)`),
      );
    });
});

describe('nll', () => {
  it('is computed by dopri5 where the solver of the flow is stochastic, and says so', async () => {
    const path = optimalTransport();
    await using flow = await exactFlow(standard, path);
    await using noisy = await exactFlow(standard, path, eulerMaruyama());
    const data = await sample(flow, 100);
    const request = { data, count: 50, seed: 0 };
    const { solver: none, ...expected } = await negativeLogLikelihood().estimate({ flow, ...request });
    expect(none).to.equal(undefined);
    expect(await negativeLogLikelihood().estimate({ flow: noisy, ...request })).to.deep.equal({
      ...expected,
      solver: 'dopri5',
    });
  });

  it('is the mean over held-out points, with its standard error', async () => {
    await using flow = await exactFlow(standard, optimalTransport());
    const data = await sample(flow, 200);
    const { value, standardError, count, unit, details } = await negativeLogLikelihood().estimate({
      flow,
      data,
      count: 100,
      seed: 0,
    });
    const { x1 } = await data.batch({ index: 0, size: 100, seed: 0, split: 'test' });
    const exact = Array.from({ length: 100 }, (_, n) => {
      const square = [2, -1].reduce((sum, mean, i) => sum + (x1.data[2 * n + i] - mean) ** 2, 0);
      return square / (2 * 0.25) + Math.log(2 * Math.PI * 0.25);
    });
    const mean = exact.reduce((sum, each) => sum + each, 0) / 100;
    const variance = exact.reduce((sum, each) => sum + (each - mean) ** 2, 0) / 99;
    expectClose([value, standardError!], [mean, Math.sqrt(variance / 100)], 1e-4);
    expect(Math.abs(value - entropyOfStandard)).below(5 * standardError!);
    expect([count, unit]).to.deep.equal([100, 'nats']);
    expect(details!['functionEvaluations']).within(8, 100);
    expect(details).to.not.have.property('aboveEntropy');
  });

  it('refuses to count a held-out point twice', async () => {
    await using flow = await exactFlow(standard, optimalTransport());
    const data = await sample(flow, 20);
    const request = { flow, data, count: 11, seed: 0 };
    const error: unknown = await negativeLogLikelihood()
      .estimate(request)
      .catch((reason: unknown) => reason);
    expect(error).instanceOf(OptionError);
    expect((error as OptionError).message)
      .to.contain('10 that are held out')
      .and.contain('Set the count to 10');
  });

  it('says how far above a known entropy it is', async () => {
    await using flow = await exactFlow(
      checkerboardDensity(),
      optimalTransport({ sigmaMin: 0.05 }),
      dopri5({ rtol: 1e-3, atol: 1e-3 }),
    );
    const { value, details, standardError } = await negativeLogLikelihood().estimate({
      flow,
      data: checkerboard(),
      count: 16,
      seed: 1,
    });
    expect(details!['aboveEntropy']).to.equal(value - Math.log(32));
    // The field smooths the edges by σmin, so a perfect score is a little above the entropy.
    expect(details!['aboveEntropy']).within(-4 * standardError!, 0.1 + 4 * standardError!);
  });

  it('by Hutchinson is unbiased: probes bring it to the exact value', async () => {
    // A density that is no product, so that off-diagonal derivatives do not vanish.
    const tilted = gaussianMixture({
      weights: [1, 1],
      means: [
        [1, 1],
        [-1, -1],
      ],
      stds: [0.4, 0.4],
    });
    await using flow = await exactFlow(tilted, optimalTransport(), dopri5({ rtol: 1e-3, atol: 1e-3 }));
    const data = await sample(flow, 128);
    const request = { flow, data, count: 64, seed: 0 };
    const exact = await negativeLogLikelihood().estimate(request);
    const one = await negativeLogLikelihood({ divergence: 'hutchinson' }).estimate(request);
    const many = await negativeLogLikelihood({
      divergence: 'hutchinson',
      probes: 16,
      distribution: 'gaussian',
    }).estimate(request);
    expect(one.value).to.not.equal(exact.value);
    expect(Math.abs(one.value - exact.value)).below(0.3);
    expect(Math.abs(many.value - exact.value)).below(0.1);
  });

  it('refuses what a solve that did not finish left behind', async () => {
    await using flow = await exactFlow(standard, optimalTransport(), dopri5({ maxSteps: 1 }));
    const data = points({
      data: [
        [1, 2],
        [2, 3],
      ],
      heldOut: 0.5,
    });
    const request = { flow, data: await data, count: 1, seed: 0 };
    for (const estimator of [negativeLogLikelihood(), functionEvaluations()]) {
      let thrown: unknown;
      await estimator.estimate(request).catch((error: unknown) => (thrown = error));
      expect(thrown, estimator.name).instanceOf(SolverError);
      expect((thrown as Error).message).to.contain('maxSteps');
    }
    expect(() => negativeLogLikelihood({ divergence: 'trace' as never })).to.throw(OptionError, 'divergence');
  });
});

describe('function-evaluations', () => {
  it('counts what one sample takes', async () => {
    await using flow = await exactFlow(standard, optimalTransport(), euler({ steps: 7 }));
    const { value, count, unit, details } = await functionEvaluations().estimate({
      flow,
      data: checkerboard(),
      count: 5,
      seed: 0,
    });
    expect({ value, count, unit, details }).to.deep.equal({
      value: 7,
      count: 5,
      unit: 'evaluations',
      details: { acceptedSteps: 7, rejectedSteps: 0 },
    });
  });
});

describe('conditional-flow-matching', () => {
  it('is the mean squared error of each sample, and the model is the field', () => {
    const objective = conditionalFlowMatching();
    const graph = trace(
      ({ v, u }) => ({ loss: objective.loss(v, { velocity: u } as never), field: objective.field(v, {} as never) }),
      { v: f32([2, 2, 3]), u: f32([2, 2, 3]) },
    );
    expect(graph.output('loss').shape).to.deep.equal([2]);
    expect(graph.output('field')).to.equal(graph.input('v'));
  });
});
