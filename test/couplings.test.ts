import {
  assembleFlow,
  gaussianPath,
  NumericalError,
  PathError,
  type Coupling,
  type Dataset,
  type Flow,
  type Path,
  type Training,
} from '@flow-matching/core';
import { createReferenceBackend, DataError, OptionError } from '@flow-matching/tensor';
import {
  conditionAwareOptimalTransport,
  conditionalFlowMatching,
  custom,
  eightGaussians,
  euler,
  eulerMaruyama,
  gaussian,
  independent,
  linearVariancePreserving,
  mlp,
  moons,
  optimalTransport,
  optimalTransportCoupling,
  pair,
  pairedLines,
  polynomial,
  schrodingerBridge,
  schrodingerBridgeCoupling,
  sgd,
  sinkhorn,
  stochasticInterpolant,
  trigonometric,
  uniform,
  varianceExploding,
  variancePreserving,
} from '@flow-matching/plugins';
import { expect } from 'chai';

const couplings: readonly Coupling[] = [
  optimalTransportCoupling(),
  sinkhorn(),
  schrodingerBridgeCoupling({ sigma: 2 }),
  conditionAwareOptimalTransport(),
];
const options = { optimizer: sgd({ learningRate: 0.05 }), steps: 3, batchSize: 8, seed: 4 };

const flowOf = (path: Path, coupling: Coupling): Promise<Flow> =>
  assembleFlow({
    backend: createReferenceBackend(),
    path,
    coupling,
    objective: conditionalFlowMatching(),
    timeSampler: uniform(),
    model: mlp({ width: 8, depth: 2 }),
    solver: euler({ steps: 2 }),
  });

const twoSided = (): Dataset => pair({ source: eightGaussians(), target: moons() }) as Dataset;

async function errorOf(action: () => Promise<unknown>): Promise<Error> {
  try {
    await action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('Nothing was thrown.');
}

async function run(training: Training, steps = Infinity): Promise<Training> {
  for await (const { step } of training) if (step >= steps) break;
  return training;
}

describe('couplings in training', () => {
  it('are refused by name where the path does not start from noise alone, and taken elsewhere', async () => {
    for (const path of [
      varianceExploding(),
      variancePreserving(),
      gaussianPath({
        name: 'half-way',
        check: false,
        mean: (t, x1) => x1.mul(t.add(1).div(2)),
        std: (t) => t.neg().add(1.01),
      }),
    ]) {
      await using flow = await flowOf(path, optimalTransportCoupling());
      const error = await errorOf(() => flow.begin(moons(), options));
      expect(error, path.name).instanceOf(PathError);
      expect(error.message).to.match(
        new RegExp(`'${path.name}' cannot use the coupling 'optimal-transport'.*independent`),
      );
    }
    for (const path of [optimalTransport(), trigonometric(), linearVariancePreserving(), polynomial()]) {
      for (const coupling of couplings) {
        await using flow = await flowOf(path, coupling);
        await using training = await flow.begin(
          coupling.name.startsWith('condition') ? moons({ labels: true }) : moons(),
          options,
        );
        expect(training.step, `${path.name} ${coupling.name}`).to.equal(0);
      }
    }
    await using plain = await flowOf(variancePreserving(), independent());
    await using training = await plain.begin(moons(), options);
    expect(training.step).to.equal(0);
  });

  it('see the points that a path starts from: noise with the standard deviations of its prior', async () => {
    const priorStd = [0.5, 4];
    const path = custom({
      mean: 't * x1',
      std: '(1 - t) * s + 0.01 * t',
      constants: { s: priorStd },
      priorStd,
    });
    let seen: Float32Array | undefined;
    const spy: Coupling = {
      name: 'spy',
      pair({ x0 }) {
        seen = x0.data.slice() as Float32Array;
        return Int32Array.from({ length: x0.shape[0] }, (_, i) => i);
      },
    };
    await using flow = await flowOf(path, spy);
    await using training = await run(await flow.begin(moons(), { ...options, batchSize: 400, steps: 1 }));
    expect(training.step).to.equal(1);
    priorStd.forEach((std, k) => {
      const squares = seen!.reduce((sum, value, i) => sum + (i % 2 === k ? value ** 2 : 0), 0);
      expect(Math.sqrt(squares / 400) / std, `coordinate ${k}`).within(0.85, 1.15);
    });
  });

  it('go with every two-sided path', async () => {
    for (const path of [pairedLines(), schrodingerBridge(), stochasticInterpolant()]) {
      for (const coupling of [independent(), ...couplings.slice(0, 3)]) {
        await using flow = await flowOf(path, coupling);
        await using training = await run(await flow.begin(twoSided(), options));
        expect(training.step, `${path.name} ${coupling.name}`).to.equal(3);
      }
    }
  });

  it('pair a resumed training as an uninterrupted one', async () => {
    for (const coupling of couplings.slice(0, 3)) {
      for (const [path, data] of [
        [optimalTransport(), moons()],
        [pairedLines({ sigma: 0.1 }), twoSided()],
      ] as const) {
        const every = { ...options, steps: 4, reportEvery: 1 };
        await using flow = await flowOf(path, coupling);
        await using whole = await run(await flow.begin(data, every));
        await using half = await run(await flow.begin(data, every), 2);
        await using resumed = await run(await flow.begin(data, { ...every, resume: await half.state() }));
        expect(await resumed.state(), `${path.name} ${coupling.name}`).to.deep.equal(await whole.state());
      }
    }
  });

  it('pair each data point with its own source: lines through the pair of one point', async () => {
    // Every pairing of equal points at no cost is the identity, so the velocity to learn is 0 everywhere.
    const still: Dataset = {
      name: 'still',
      shape: [2],
      async batch(request) {
        const { x1 } = await moons().batch(request);
        const reversed = {
          ...x1,
          data: Float32Array.from(x1.data, (_, i) => x1.data[x1.data.length - 2 * Math.floor(i / 2) - 2 + (i % 2)]),
        };
        return { x1, x0: reversed };
      },
    };
    const lossOf = async (coupling: Coupling): Promise<number> => {
      await using flow = await flowOf(pairedLines(), coupling);
      const zero = { ...options, optimizer: sgd({ learningRate: 1e-12 }), steps: 1 };
      for await (const { loss } of flow.train(still, zero)) return loss;
      return NaN;
    };
    const [moved, kept] = [await lossOf(independent()), await lossOf(optimalTransportCoupling())];
    expect(kept).below(moved / 3);
  });

  it('are refused with data they cannot pair', async () => {
    await using flow = await flowOf(optimalTransport(), optimalTransportCoupling());
    expect(await errorOf(async () => run(await flow.begin(moons({ labels: true }), options)))).instanceOf(DataError);
    await using strict = await flowOf(pairedLines(), sinkhorn({ epsilon: 1e-6, tolerance: 1e-12, maxIterations: 2 }));
    const error = await errorOf(async () => run(await strict.begin(twoSided(), { ...options, batchSize: 64 })));
    expect(error).instanceOf(NumericalError);
    expect(error.message).to.contain('does not balance');
  });

  it('a one-sided path does not ignore source points silently', async () => {
    await using flow = await flowOf(optimalTransport(), independent());
    const error = await errorOf(() => flow.begin(twoSided(), options));
    expect(error).instanceOf(DataError);
    expect(error.message).to.contain("'optimal-transport' starts from noise");
    await using lines = await flowOf(pairedLines(), independent());
    expect((await errorOf(() => lines.begin(gaussian(), options))).message).to.contain('no source points');
  });

  it('stochastic solvers are refused after training on pairs, whose score they do not know', async () => {
    await using flow = await flowOf(optimalTransport({ sigmaMin: 0.01 }), optimalTransportCoupling());
    for await (const report of flow.train(moons(), options)) expect(report.step).to.equal(3);
    const error = await errorOf(() => flow.sample(4, { solver: eulerMaruyama() }));
    expect(error).instanceOf(OptionError);
    expect(error.message).to.match(/'euler-maruyama'.*'optimal-transport'/);
  });
});
