import {
  assembleFlow,
  type Dataset,
  type Estimator,
  type Flow,
  type Path,
  type VectorFieldModel,
} from '@flow-matching/core';
import {
  constant,
  createReferenceBackend,
  DataError,
  finishNow,
  HostRandomStream,
  hostArray,
  OptionError,
  type HostArray,
} from '@flow-matching/tensor';
import { expect } from 'chai';
import {
  bitsPerDimension,
  conditionalFlowMatching,
  dopri5,
  eightGaussians,
  energyDistance,
  euler,
  functionEvaluations,
  gaussian,
  gaussianMixture,
  heun2,
  independent,
  inSupport,
  lowNfeError,
  marginalField,
  maximumMeanDiscrepancy,
  midpoint,
  moons,
  negativeLogLikelihood,
  normalizedPathEnergy,
  optimalTransport,
  pair,
  pairedLines,
  points,
  slicedWasserstein,
  straightness,
  uniform,
  wasserstein2,
} from '../src/index.ts';
import { gaussLegendre } from '../src/densities/gaussLegendre.ts';
import { gaussianKernel } from '../src/estimators/maximumMeanDiscrepancy.ts';
import { pairedStatistic } from '../src/estimators/pairedStatistic.ts';
import { slicedCost } from '../src/estimators/slicedWasserstein.ts';
import { transportCost } from '../src/estimators/transportCost.ts';
import { expectClose } from './support/expectClose.ts';

const [shift, std] = [[2, -1], 0.5];
const squaredShift = 5;

function flowOf(
  model: VectorFieldModel,
  path: Path = optimalTransport({ sigmaMin: 0 }),
  solver = dopri5(),
): Promise<Flow> {
  return assembleFlow({
    backend: createReferenceBackend(),
    path,
    coupling: independent(),
    objective: conditionalFlowMatching(),
    timeSampler: uniform(),
    model,
    solver,
  }).then((flow) => {
    flow.load({}, { shape: [2] });
    return flow;
  });
}

/** A flow whose samples are distributed as N(shift, std² I) exactly. */
const exactFlow = (solver = dopri5()): Promise<Flow> => {
  const path = optimalTransport({ sigmaMin: 0 });
  return flowOf(marginalField(gaussianMixture({ weights: [1], means: [shift], stds: [std] }), path), path, solver);
};
const target = (): Dataset => gaussian({ mean: shift, std });

/** A flow that moves every point by `shift` at constant speed. */
const translation: VectorFieldModel = {
  name: 'translation',
  init: () => ({}),
  apply: (_, { x }) => x.mul(0).add(constant([shift])),
};

const estimate = (estimator: Estimator, flow: Flow, data: Dataset, count: number, seed = 1) =>
  estimator.estimate({ flow, data, count, seed });

function sample(count: number, seed: number, mean: readonly number[] = [0, 0], scale = 1): HostArray {
  const array = new HostRandomStream(seed).normal([count, 2], scale);
  for (let i = 0; i < array.data.length; i++) array.data[i] += mean[i % 2];
  return array;
}

/** Asserts that estimates over independent samples are unbiased and that their standard errors are the spread they have. */
function expectCalibrated(
  estimateOnce: (seed: number) => { value: number; standardError: number },
  expected: number,
  { runs = 120, bias = 0 } = {},
): void {
  const results = Array.from({ length: runs }, (_, seed) => estimateOnce(2 * seed));
  const mean = results.reduce((sum, { value }) => sum + value, 0) / runs;
  const spread = Math.sqrt(results.reduce((sum, { value }) => sum + (value - mean) ** 2, 0) / (runs - 1));
  const claimed = Math.sqrt(results.reduce((sum, { standardError }) => sum + standardError ** 2, 0) / runs);
  expect(Math.abs(mean - expected), 'bias').below((4.5 * spread) / Math.sqrt(runs) + bias);
  // The relative error of a spread from `runs` values is 1/√(2·runs), 6.5 % here.
  expect(claimed / spread, 'claimed ÷ actual error').within(0.75, 1.35);
}

describe('sample metrics against closed forms', () => {
  it('the squared Wasserstein distance of Gaussians is ‖m‖² + d(1 − s)²', () => {
    const run = (seed: number) => {
      const { squared, standardError } = finishNow(transportCost(sample(150, seed), sample(150, seed + 1, [3, 0], 2)));
      return { value: squared, standardError };
    };
    // The bias of 150 points in the plane, bounded by what two samples of one distribution are apart.
    expectCalibrated(run, 9 + 2, { runs: 60, bias: 0.25 });
    const { squared, from, to } = finishNow(transportCost(sample(100, 1), sample(100, 2)));
    expectClose(
      [from.reduce((a, b) => a + b) / 100 + to.reduce((a, b) => a + b) / 100],
      [squared],
      1e-12,
      'sum of potentials',
    );
  });

  it('slices points of very many dimensions', () => {
    const image = (value: number): HostArray => hostArray(new Float32Array(2 * 200_000).fill(value), [2, 200_000]);
    // A shift of 1 in every coordinate lies along a direction by its sum: about 1 in the mean square.
    expect(finishNow(slicedCost(image(0), image(1), 8, 1)).squared).to.be.within(0.1, 10);
  });

  it('the sliced distance of Gaussians is ‖m‖²/d + (1 − s)²', () => {
    const run = (seed: number) => {
      const { squared, standardError } = finishNow(
        slicedCost(sample(300, seed), sample(300, seed + 1, [3, 0], 2), 32, seed),
      );
      return { value: squared, standardError };
    };
    expectCalibrated(run, 4.5 + 1, { runs: 60, bias: 0.03 });
  });

  it('the maximum mean discrepancy has its closed form, and vanishes on average for equal distributions', () => {
    const bandwidths = [0.5, 2];
    const expectation = (variance: number, distance: number): number =>
      bandwidths.reduce(
        (sum, s) => sum + (s ** 2 / (s ** 2 + variance)) * Math.exp(-distance / (2 * (s ** 2 + variance))),
        0,
      ) / 2;
    const run = (mean: readonly number[], scale: number) => (seed: number) => {
      const { value, standardError } = finishNow(
        pairedStatistic(sample(100, seed), sample(100, seed + 1, mean, scale), gaussianKernel(bandwidths)),
      );
      return { value: -value, standardError };
    };
    expectCalibrated(run([1, 0.5], 1.5), expectation(2, 0) + expectation(4.5, 0) - 2 * expectation(3.25, 1.25));
    expectCalibrated(run([0, 0], 1), 0);
  });

  it('the energy distance of centred Gaussians of the plane is √(π/2)·(2√(1 + s²) − √2 − √2·s)', () => {
    const run = (scale: number) => (seed: number) =>
      finishNow(pairedStatistic(sample(100, seed), sample(100, seed + 1, [0, 0], scale), Math.sqrt));
    expectCalibrated(run(2), Math.sqrt(Math.PI / 2) * (2 * Math.sqrt(5) - 3 * Math.SQRT2));
    expectCalibrated(run(1), 0);
  });
});

describe('estimators of samples', () => {
  const distances = [
    slicedWasserstein({ projections: 16 }),
    maximumMeanDiscrepancy(),
    energyDistance(),
    wasserstein2(),
  ];

  it('takes all points that are held out, and training points for the floor where these are too few for both', async () => {
    const flow = await exactFlow(euler({ steps: 4 }));
    const rows = Array.from({ length: 90 }, (_, i) => [2 + Math.sin(7 * i) / 2, -1 + Math.cos(5 * i) / 2]);
    const own = await points({ data: rows, heldOut: 1 / 3 });
    const { value, count, details } = await estimate(wasserstein2(), flow, own, 30);
    expect(count).to.equal(30);
    expect(value).to.be.within(0.1, 1);
    const train = (await own.batch({ index: 0, size: 30, seed: 1, split: 'train' })).x1;
    const test = (await own.batch({ index: 0, size: 30, seed: 1, split: 'test' })).x1;
    expect(details!['floor']).to.equal(Math.sqrt(finishNow(transportCost(train, test)).squared));
    const few = await points({ data: rows, heldOut: 2 / 3 });
    expect((await estimate(wasserstein2(), flow, few, 60)).details, 'no point twice').to.have.all.keys('squared');
    expect((await estimate(wasserstein2(), flow, few, 30)).details).to.have.all.keys('squared', 'floor');
  });

  it('find samples of the right distribution, and tell those of a wrong one', async () => {
    await using right = await exactFlow();
    await using wrong = await flowOf(translation);
    for (const estimator of distances) {
      const good = await estimate(estimator, right, target(), 300);
      const bad = await estimate(estimator, wrong, target(), 300);
      expect(good.count).to.equal(300);
      const unbiased = ['mmd', 'energy-distance'].includes(estimator.name);
      if (unbiased) expect(Math.abs(good.value), estimator.name).below(4 * good.standardError!);
      expect(bad.value - good.value, estimator.name).above(4 * (good.standardError! + bad.standardError!));
    }
    const { value, details } = await estimate(wasserstein2(), right, target(), 300);
    expect(value / details!['floor']).within(0.6, 1.6);
    expect((await estimate(wasserstein2({ floor: false }), right, target(), 50)).details).to.have.all.keys('squared');
    const apart = await estimate(wasserstein2(), wrong, target(), 300);
    // The translation has the right mean and std 1: W₂² = d(1 − s)².
    expect(Math.abs(apart.value - Math.SQRT2 * (1 - std))).below(5 * apart.standardError! + 0.05);
  });

  for (const [name, estimator] of [
    ['energy-distance', energyDistance()],
    ['mmd', maximumMeanDiscrepancy()],
    ['sliced-wasserstein', slicedWasserstein()],
    ['wasserstein-2', wasserstein2()],
    ['normalized-path-energy', normalizedPathEnergy({ points: 2 })],
  ] as const) {
    it(`stop on the host, after the samples are drawn, when the signal fires (${name})`, async () => {
      const controller = new AbortController();
      const data: Dataset = {
        ...target(),
        batch(request) {
          setImmediate(() => controller.abort(new Error('enough')));
          return target().batch(request);
        },
      };
      const request = { flow: await exactFlow(euler({ steps: 1 })), data, count: 3000, seed: 1 };
      const outcome = await estimator
        .estimate({ ...request, signal: controller.signal })
        .catch((error: unknown) => error);
      expect(outcome).to.be.instanceOf(Error).with.property('message', 'enough');
    });
  }

  it('take bandwidths, refuse a single point', async () => {
    await using flow = await exactFlow();
    const given = await estimate(maximumMeanDiscrepancy({ bandwidths: [1] }), flow, target(), 50);
    expect(given.value).not.to.equal((await estimate(maximumMeanDiscrepancy(), flow, target(), 50)).value);
    for (const estimator of [maximumMeanDiscrepancy(), energyDistance()]) {
      const error = await estimate(estimator, flow, target(), 1).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).instanceOf(OptionError);
    }
    expect(() => maximumMeanDiscrepancy({ bandwidths: [0] })).to.throw(OptionError, 'bandwidths');
  });

  it('in-support counts samples in the support, or in the region that holds a share of the data', async () => {
    await using flow = await exactFlow();
    const covered = await estimate(inSupport({ coverage: 0.8 }), flow, target(), 1000);
    expect(covered.value).closeTo(0.8, 5 * Math.sqrt(0.16 / 1000) * Math.SQRT2);
    expect(covered.standardError).closeTo(Math.sqrt((covered.value * (1 - covered.value)) / 1000), 1e-12);
    // The region of a Gaussian of the plane with share c is where the density is at least 1 − c of its greatest.
    const least = Math.log(0.2 / (2 * Math.PI * std ** 2));
    expect(covered.details!['leastLogDensity']).closeTo(least, 0.25);
    expect((await estimate(inSupport(), flow, target(), 50)).value).to.equal(1);
    const half: Dataset = {
      ...target(),
      density: {
        logDensity: ({ data, shape }) =>
          Float64Array.from({ length: shape[0] }, (_, n) => (data[2 * n] > 2 ? 0 : -Infinity)),
      },
    };
    expect((await estimate(inSupport(), flow, half, 1000)).value).closeTo(0.5, 5 * Math.sqrt(0.25 / 1000));
    const error = await estimate(inSupport(), flow, moons(), 10).catch((reason: unknown) => reason);
    expect(error).instanceOf(DataError);
  });
});

describe('estimators of trajectories', () => {
  /** ∫ σ′² dt of σ = √((1 − t)² + t²s²): what the exact flow adds to the energy in each dimension. */
  const { nodes, weights } = gaussLegendre(40);
  const integral = nodes.reduce((sum, node, i) => {
    const t = (node + 1) / 2;
    const rate = (t * (1 + std ** 2) - 1) / Math.sqrt((1 - t) ** 2 + (t * std) ** 2);
    return sum + (weights[i] / 2) * rate ** 2;
  }, 0);

  it('the exact flow of a Gaussian has the energy and straightness of its closed form', async () => {
    await using flow = await exactFlow(midpoint({ steps: 40 }));
    // x_t = t·m + σ_t·x₀.
    const { value, standardError, details } = await estimate(straightness({ points: 41 }), flow, target(), 400);
    const bend = 2 * (integral - (1 - std) ** 2);
    expect(Math.abs(value - bend)).below(4.5 * standardError! + 3e-3);
    const energy = squaredShift + 2 * integral;
    // E‖x₀‖² fluctuates, and with it what is linear in x₀.
    expect(Math.abs(details!['energy'] - energy)).below(0.6);
    expect(details!['relative']).closeTo(bend / (squaredShift + 2 * (1 - std) ** 2), 0.02);
    const npe = await estimate(normalizedPathEnergy({ points: 41 }), flow, target(), 400);
    const distance = squaredShift + 2 * (1 - std) ** 2;
    expect(Math.abs(npe.details!['excess'] - (energy / distance - 1))).below(4.5 * npe.standardError! + 0.01);
    expect(npe.value).to.equal(Math.abs(npe.details!['excess']));
    expect(npe.details!['squaredDistance']).closeTo(distance, 0.6);
  });

  it('standard errors of the path energy are its spread over seeds', async () => {
    await using flow = await exactFlow(euler({ steps: 10 }));
    const estimator = normalizedPathEnergy({ points: 11 });
    const results = [];
    for (let seed = 0; seed < 40; seed++) results.push(await estimate(estimator, flow, target(), 60, seed));
    const excess = results.map(({ details }) => details!['excess']);
    const mean = excess.reduce((a, b) => a + b) / 40;
    const spread = Math.sqrt(excess.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 39);
    const claimed = Math.sqrt(results.reduce((sum, { standardError }) => sum + standardError! ** 2, 0) / 40);
    expect(claimed / spread).within(0.6, 1.6);
  });

  it('straight lines at constant speed are straight, and Euler’s energy is exact', async () => {
    await using flow = await flowOf(translation, undefined, euler({ steps: 7 }));
    const { value, details } = await estimate(straightness({ points: 8 }), flow, target(), 20);
    expect(value).closeTo(0, 1e-6);
    expect(details!['energy']).closeTo(squaredShift, 1e-5);
  });

  it('start at the held-out source points of a two-sided path', async () => {
    await using flow = await flowOf(translation, pairedLines(), euler({ steps: 4 }));
    const moved = (data: Dataset): Dataset => ({
      ...data,
      batch: async (request) => {
        const { x1 } = await data.batch(request);
        return {
          x1: hostArray(
            Float32Array.from(x1.data, (value, i) => value + shift[i % 2]),
            x1.shape,
          ),
        };
      },
    });
    const data = pair({ source: eightGaussians(), target: moved(eightGaussians()) }) as Dataset;
    const { value, details } = await estimate(wasserstein2(), flow, data, 200);
    expect(value / details!['floor']).within(0.4, 2.5);
    const { details: energy } = await estimate(normalizedPathEnergy({ points: 5 }), flow, data, 200);
    expect(energy!['energy']).closeTo(squaredShift, 1e-4);
    expect((await estimate(functionEvaluations(), flow, data, 10)).value).to.equal(4);
  });

  it('low-nfe-error falls with the order of the solver', async () => {
    await using flow = await exactFlow();
    const reference = midpoint({ steps: 400 });
    const errorOf = (solver: ReturnType<typeof midpoint>) =>
      estimate(lowNfeError({ solver, reference }), flow, target(), 100);
    const [coarse, fine] = [await errorOf(heun2({ steps: 24 })), await errorOf(heun2({ steps: 48 }))];
    expect(Math.log2(coarse.value / fine.value)).within(1.7, 2.3);
    expect(coarse.details).to.deep.equal({ functionEvaluations: 48, referenceEvaluations: 800 });
    expect(coarse.standardError!).within(coarse.value / 100, coarse.value / 5);
    const { details } = await estimate(lowNfeError(), flow, target(), 4);
    expect(details, 'as in the paper').to.deep.equal({ functionEvaluations: 8, referenceEvaluations: 1000 });
    const [four, doubled] = [await errorOf(euler({ steps: 16 })), await errorOf(euler({ steps: 32 }))];
    expect(Math.log2(four.value / doubled.value)).within(0.8, 1.2);
  });
});

describe('bpd', () => {
  const levels = 8;
  const [centre, spread] = [0.1, 0.35];
  const path = optimalTransport({ sigmaMin: 0 });
  const model = marginalField(gaussianMixture({ weights: [1], means: [[centre, centre]], stds: [spread] }), path);
  const rows = Array.from({ length: 60 }, (_, n) => [n % levels, (3 * n) % levels]);
  const data = (grid: 'ends' | 'edges'): Dataset =>
    points({
      data: rows
        .flatMap((row) => [row, row])
        .map((row) => row.map((p) => (2 * p) / (grid === 'ends' ? levels - 1 : levels) - 1)),
      heldOut: 0.5,
    }) as Dataset;
  /** Mean over a cell of −log p, and −log of the cell's probability in units of its width, for one dimension. */
  const nodes = gaussLegendre(20);
  const inCell = (p: number, of: (y: number) => number): number =>
    nodes.nodes.reduce((sum, node, i) => sum + (nodes.weights[i] / 2) * of((2 * (p + (node + 1) / 2)) / levels - 1), 0);
  const logDensity = (y: number): number =>
    -0.5 * ((y - centre) / spread) ** 2 - Math.log(spread * Math.sqrt(2 * Math.PI));
  const bits = (perDimension: (p: number) => number, level: ArrayLike<number>): number =>
    Array.from(level).reduce((sum, p) => sum + perDimension(p), 0) / level.length / Math.LN2 + Math.log2(levels / 2);

  it('is the mean over cells for one copy and tends to the cells’ probability for many', async () => {
    await using flow = await flowOf(model, path, dopri5({ rtol: 1e-5, atol: 1e-5 }));
    for (const grid of ['ends', 'edges'] as const) {
      const count = 60;
      const { x1 } = await data(grid).batch({ index: 0, size: count, seed: 1, split: 'test' });
      const level = Array.from(x1.data, (value) =>
        Math.round(((value + 1) / 2) * (grid === 'ends' ? levels - 1 : levels)),
      );
      const upper = bits((p) => -inCell(p, logDensity), level);
      const exact = bits((p) => -Math.log(inCell(p, (y) => Math.exp(logDensity(y)))), level);
      const one = await estimate(bitsPerDimension({ levels, grid }), flow, data(grid), count);
      expect(one.unit).to.equal('bits/dim');
      expect(Math.abs(one.value - upper)).below(0.08);
      if (grid === 'edges') continue;
      const many = await estimate(bitsPerDimension({ levels, grid, samples: 24 }), flow, data(grid), count);
      expect(many.value).closeTo(exact, 0.02);
      expect(exact).below(upper - 0.03);
      expect(many.details!['samples']).to.equal(24);
    }
  });

  it('adds 7 bits for 256 levels to what nll says in bits', async () => {
    await using flow = await flowOf(model, path);
    const fine = points({
      data: Array.from({ length: 40 }, (_, n) => [2 * ((100 + n) / 255) - 1, 2 * ((150 - n) / 255) - 1]),
      heldOut: 0.5,
    }) as Dataset;
    const { value } = await estimate(bitsPerDimension(), flow, fine, 20);
    const nll = await estimate(negativeLogLikelihood(), flow, fine, 20);
    expect(value).closeTo(nll.value / (2 * Math.LN2) + 7, 0.02);
    const hutchinson = await estimate(
      bitsPerDimension({ divergence: 'hutchinson', probes: 3, distribution: 'gaussian' }),
      flow,
      fine,
      20,
    );
    expect(hutchinson.value).closeTo(value, 0.5);
  });

  it('refuses data that is not quantized this way', async () => {
    await using flow = await flowOf(model, path);
    for (const [value, grid] of [
      [0.001, 'ends'],
      [1, 'edges'],
      [1.5, 'ends'],
    ] as const) {
      const off = points({
        data: [
          [0.2, value],
          [0.2, value],
        ].map(([a, b]) => [(2 * Math.round(a * 255)) / 255 - 1, b]),
        heldOut: 0.5,
      }) as Dataset;
      const error = await estimate(bitsPerDimension({ grid }), flow, off, 1).catch((reason: unknown) => reason);
      expect(error, `${value} ${grid}`).instanceOf(DataError);
      expect((error as Error).message).to.match(/of 256 levels/);
    }
  });
});
