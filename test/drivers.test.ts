import {
  NumericalError,
  SolverError,
  type Dataset,
  type Flow,
  type TrainingOptions,
  type TrainingReport,
  type TrainingState,
  type VectorFieldModel,
} from '@flow-matching/core';
import {
  GraphError,
  OptionError,
  ShapeError,
  where,
  hostArray,
  type HostArray,
  type Tensor,
  DataError,
  MemoryError,
} from '@flow-matching/tensor';
import {
  adam,
  adamw,
  dopri5,
  euler,
  eulerMaruyama,
  midpoint,
  mlp,
  optimalTransportCoupling,
  predictorCorrector,
  sgd,
} from '@flow-matching/plugins';
import { expect } from 'chai';
import { onEachBackend } from './support/backends.ts';
import { gaussianData, gaussianField, gaussianLogDensity, points, smallFlow } from './support/flows.ts';
import { nested } from './support/ode.ts';

const options = (more: Partial<TrainingOptions> = {}): TrainingOptions => ({
  optimizer: adam({ learningRate: 1e-2 }),
  steps: 30,
  batchSize: 32,
  reportEvery: 10,
  seed: 3,
  ...more,
});

async function reports(flow: Flow, data: Dataset, given: TrainingOptions): Promise<TrainingReport[]> {
  const all: TrainingReport[] = [];
  for await (const report of flow.train(data, given)) all.push(report);
  return all;
}

async function trainedState(flow: Flow, data: Dataset, given: TrainingOptions): Promise<TrainingState> {
  const training = await flow.begin(data, given);
  try {
    for await (const _ of training);
    return await training.state();
  } finally {
    await training.dispose();
  }
}

const bytes = (arrays: Readonly<Record<string, HostArray>>): string =>
  Object.entries(arrays)
    .map(([name, { data }]) => `${name}:${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')}`)
    .join('\n');

onEachBackend('training', (backend) => {
  let flow: Flow;
  beforeEach(async () => {
    flow = await smallFlow(backend());
  });
  afterEach(() => flow.dispose());

  it('reports step, mean loss and learning rate, and the loss falls', async () => {
    const all = await reports(flow, gaussianData(), options({ steps: 120, reportEvery: 40 }));
    expect(all.map(({ step }) => step)).to.deep.equal([40, 80, 120]);
    expect(all[2].loss).to.be.lessThan(0.6 * all[0].loss);
    expect(all[2].skipped).to.equal(0);
    expect(all[0].gradientNorm).to.be.greaterThan(0);
  });

  for (const [name, optimizer] of [
    ['adam', adam({ learningRate: 1e-2 })],
    ['adamw', adamw({ learningRate: 1e-2, weightDecay: 0.1 })],
    ['sgd with momentum', sgd({ learningRate: 1e-2, momentum: 0.9, nesterov: true })],
  ] as const) {
    it(`resumes ${name} to the same bytes`, async () => {
      const data = gaussianData();
      const whole = await trainedState(flow, data, options({ optimizer, ema: 0.9 }));
      const controller = new AbortController();
      const first = await flow.begin(data, options({ optimizer, ema: 0.9, signal: controller.signal, reportEvery: 1 }));
      for await (const { step } of first) if (step === 13) controller.abort();
      const saved = await first.state();
      await first.dispose();
      expect(saved.step).to.equal(13);
      const resumed = await trainedState(flow, data, options({ optimizer, ema: 0.9, resume: saved }));
      expect(resumed.step).to.equal(30);
      expect(bytes(resumed.parameters)).to.equal(bytes(whole.parameters));
      expect(bytes(resumed.optimizer)).to.equal(bytes(whole.optimizer));
      expect(bytes(resumed.ema!)).to.equal(bytes(whole.ema!));
    });
  }

  it('gives a model its parameters as it nests them, names with dots and empty lists included', async () => {
    type Nested = { readonly 'a.b': Tensor; readonly a: { readonly c: Tensor }; readonly none: readonly Tensor[] };
    const model: VectorFieldModel = {
      name: 'dotted',
      init: (random) => ({ 'a.b': random.normal([1]), a: { c: random.normal([1, 2]) }, none: [] }),
      apply(parameters, { x }) {
        const { 'a.b': scale, a, none } = parameters as Nested;
        expect(none).to.deep.equal([]);
        return x.mul(scale).add(a.c);
      },
    };
    const dotted = await smallFlow(backend(), { model });
    const [names, data] = [['a.b', 'a.c'], gaussianData()];
    const whole = await trainedState(dotted, data, options({ ema: 0.9 }));
    expect(Object.keys(whole.parameters)).to.deep.equal(names);
    expect(Object.keys(whole.optimizer)).to.deep.equal(
      names.flatMap((name) => [`${name}.firstMoment`, `${name}.secondMoment`]),
    );
    const saved = await trainedState(dotted, data, options({ ema: 0.9, steps: 10 }));
    for (const name of names) expect(saved.parameters[name].data).to.not.deep.equal(whole.parameters[name].data);
    const resumed = await trainedState(dotted, data, options({ ema: 0.9, resume: saved }));
    for (const part of ['parameters', 'optimizer', 'ema'] as const)
      expect(bytes(resumed[part]!)).to.equal(bytes(whole[part]!));
    dotted.load(whole.parameters, { shape: [2] });
    expect(bytes(await dotted.parameters())).to.equal(bytes(whole.parameters));
    const { samples } = await dotted.sample(3);
    expect(samples.shape).to.deep.equal([3, 2]);
    await dotted.dispose();
    const one = hostArray([1]);
    const ambiguous = await smallFlow(backend(), { model: { ...model, init: () => ({ 'a.b': one, a: { b: one } }) } });
    expect(await ambiguous.begin(data, options()).catch((error: unknown) => error)).to.be.instanceOf(GraphError);
    await ambiguous.dispose();
  });

  it('refuses counts that are none, or that no memory could hold, before it asks for data', async () => {
    const data: Dataset = { name: 'none', shape: [2 ** 10], batch: () => expect.fail('it was asked for a batch') };
    for (const count of [0, -1, 1.5, NaN, Infinity, 1e300, 2 ** 53, 2 ** 31])
      for (const name of ['steps', 'batchSize', 'reportEvery', 'checkpointEvery'])
        expect(await flow.begin(data, options({ [name]: count })).catch((error: unknown) => error), name)
          .to.be.instanceOf(OptionError)
          .with.property('message')
          .that.includes(`${name} is ${count}.`);
    expect(await flow.begin(data, options({ batchSize: 2 ** 24 })).catch((error: unknown) => error))
      .to.be.instanceOf(MemoryError)
      .with.property('message')
      .that.includes('A batch would take an array of 17179869184 numbers.');
  });

  it('is checked before it begins, by all that does not depend on its parameters', async () => {
    const trained = options({ batchSize: 4 });
    await flow.checkTraining(gaussianData(), trained);
    const crooked = await smallFlow(backend(), {
      model: { name: 'crooked', init: () => ({}), apply: (_, { x }) => x.reshape([8, 1]) },
    });
    const refusals = [
      flow.checkTraining(gaussianData(), { ...trained, steps: 0 }),
      flow.checkTraining({ ...gaussianData(), shape: [3] }, trained),
      crooked.checkTraining(gaussianData(), trained),
      crooked.begin(gaussianData(), trained),
    ].map((check) => check.catch((error: unknown) => error));
    const [steps, shape, formula, begun] = await Promise.all(refusals);
    expect(steps).to.be.instanceOf(OptionError).with.property('message').that.includes('steps is 0');
    expect(shape).to.be.instanceOf(DataError);
    expect(formula).to.be.instanceOf(ShapeError);
    expect((formula as Error).message).to.equal((begun as Error).message);
    await crooked.dispose();
  });

  it('depends on the seed, and on nothing else', async () => {
    const [a, again, other] = [
      await trainedState(flow, gaussianData(), options()),
      await trainedState(flow, gaussianData(), options()),
      await trainedState(flow, gaussianData(), options({ seed: 4 })),
    ];
    expect(bytes(a.parameters)).to.equal(bytes(again.parameters));
    expect(bytes(a.parameters)).to.not.equal(bytes(other.parameters));
  });

  it('averages the parameters as ema ← ema + (1 − decay)(parameter − ema)', async () => {
    const training = await flow.begin(gaussianData(), options({ steps: 3, ema: 0.7, reportEvery: 1 }));
    let average = (await training.state()).parameters;
    for await (const _ of training) {
      const { parameters } = await training.state();
      average = Object.fromEntries(
        Object.entries(average).map(([name, array]) => [
          name,
          {
            ...array,
            data: Float64Array.from(array.data, (value, i) => value + 0.3 * (parameters[name].data[i] - value)),
          },
        ]),
      );
    }
    const { ema } = await training.state();
    await training.dispose();
    for (const [name, { data }] of Object.entries(average))
      data.forEach((value, i) => expect(ema![name].data[i]).to.be.closeTo(value, 1e-6));
  });

  it('keeps parameters, optimizer state and average through a gradient that is not finite, and counts it', async () => {
    // The loss stays finite; only its derivative overflows, at the second step.
    const model: VectorFieldModel = {
      name: 'trap',
      init: () => ({ w: { data: Float32Array.of(0.5), shape: [1], dtype: 'f32' } }),
      apply(parameters, { x }) {
        const { w } = parameters as { w: typeof x };
        // √(w − w) is 0 with an infinite slope; away from the spike √1 stands in its place.
        const spiked = x.slice(1, 0, 1).abs().greater(1e3);
        const trap = where(spiked, w.sub(w), 1)
          .sqrt()
          .sub(where(spiked, 0, 1));
        return x.mul(w).add(trap);
      },
    };
    const data: Dataset = {
      name: 'spiked',
      shape: [2],
      batch: ({ index, size }) => ({
        x1: points(Array.from({ length: size }, (_, i) => (index === 1 ? [1e9, 1] : [i, 1]))),
      }),
    };
    const trapped = await smallFlow(backend(), { model });
    const training = await trapped.begin(
      data,
      options({ optimizer: adam({ learningRate: 1e-2 }), steps: 3, batchSize: 4, ema: 0.5, reportEvery: 1 }),
    );
    const states: TrainingState[] = [];
    const skipped: number[] = [];
    for await (const report of training) {
      states.push(await training.state());
      skipped.push(report.skipped);
    }
    await training.dispose();
    await trapped.dispose();
    expect(skipped).to.deep.equal([0, 1, 1]);
    expect(bytes(states[1].parameters)).to.equal(bytes(states[0].parameters));
    expect(bytes(states[1].optimizer)).to.equal(bytes(states[0].optimizer));
    expect(bytes(states[1].ema!)).to.equal(bytes(states[0].ema!));
    expect(bytes(states[2].parameters)).to.not.equal(bytes(states[1].parameters));
  });

  it('stops where the loss is not finite, with the state of the step before', async () => {
    const data = gaussianData();
    const poisoned: Dataset = {
      ...data,
      batch: async (request) => {
        const { x1 } = await data.batch(request);
        if (request.index === 12) x1.data[0] = NaN;
        return { x1 };
      },
    };
    const good = await trainedState(flow, data, options({ steps: 12 }));
    const training = await flow.begin(poisoned, options());
    let failure: unknown;
    try {
      for await (const _ of training);
    } catch (error) {
      failure = error;
    }
    expect(failure).to.be.instanceOf(NumericalError);
    expect((failure as Error).message).to.include('step 13');
    const state = await training.state();
    await training.dispose();
    expect(state.step).to.equal(12);
    expect(bytes(state.parameters)).to.equal(bytes(good.parameters));
  });

  it('names what does not fit when it resumes', async () => {
    const saved = await trainedState(flow, gaussianData(), options({ steps: 1 }));
    const wider = await smallFlow(backend(), { model: mlp({ width: 8, depth: 3 }) });
    const failure = await wider.begin(gaussianData(), options({ resume: saved })).catch((error: unknown) => error);
    await wider.dispose();
    expect(failure).to.be.instanceOf(GraphError);
    expect((failure as Error).message).to.include("'layers.0.weight'");
  });

  it('refuses options out of range', async () => {
    for (const wrong of [{ steps: 0 }, { batchSize: 1.5 }, { ema: 1 }, { reportEvery: 0 }, { seed: -1 }]) {
      const failure = await flow.begin(gaussianData(), options(wrong)).catch((error: unknown) => error);
      expect(failure, JSON.stringify(wrong)).to.be.instanceOf(OptionError);
    }
  });

  it("points at the user's line for a shape that does not fit", async () => {
    const model: VectorFieldModel = {
      name: 'broken',
      init: () => ({ w: { data: new Float32Array(6), shape: [3, 2], dtype: 'f32' } }),
      apply: (parameters, { x }) => x.matmul((parameters as { w: typeof x }).w),
    };
    const broken = await smallFlow(backend(), { model });
    const failure = await broken.begin(gaussianData(), options()).catch((error: unknown) => error);
    await broken.dispose();
    expect(failure).to.be.instanceOf(ShapeError);
    expect((failure as Error).message)
      .to.include('MatMul(f32[32, 2], f32[3, 2])')
      .and.match(/drivers\.test\.ts:\d+:\d+/);
  });
});

onEachBackend('sampling and scoring', (backend, roundOff) => {
  const [mean, std] = [1.5, 0.4];
  let flow: Flow;
  before(async () => {
    flow = await smallFlow(backend(), { model: gaussianField(mean, std) });
    flow.load({}, { shape: [3] });
  });
  after(() => flow.dispose());

  it('carries noise to the data distribution', async () => {
    const { samples, functionEvaluations, status } = await flow.sample(4000, { seed: 5, batchSize: 1024 });
    expect(samples.shape).to.deep.equal([4000, 3]);
    const values = Array.from(samples.data);
    const average = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((a, b) => a + (b - average) ** 2, 0) / values.length;
    // Five standard errors: a false alarm in two million runs.
    expect(average).to.be.closeTo(mean, (5 * std) / Math.sqrt(values.length));
    expect(variance).to.be.closeTo(std ** 2, 5 * std ** 2 * Math.sqrt(2 / values.length));
    expect(functionEvaluations).to.be.greaterThan(8).and.lessThan(80);
    expect(new Set(status)).to.deep.equal(new Set(['done']));
  });

  for (const [name, solver] of [
    ['euler-maruyama', eulerMaruyama({ steps: 150, grid: 'cosine' })],
    ['predictor-corrector', predictorCorrector({ steps: 80, grid: 'cosine', stepSize: 0.02 })],
  ] as const) {
    it(`samples the data distribution by ${name}`, async () => {
      const { samples, functionEvaluations } = await flow.sample(2048, { seed: 5, solver });
      const values = Array.from(samples.data);
      const average = values.reduce((a, b) => a + b, 0) / values.length;
      const variance = values.reduce((a, b) => a + (b - average) ** 2, 0) / values.length;
      // Five standard errors, and room for the bias of steps of order one.
      expect(average).to.be.closeTo(mean, (5 * std) / Math.sqrt(values.length) + 0.01);
      expect(variance).to.be.closeTo(std ** 2, 5 * std ** 2 * Math.sqrt(2 / values.length) + 0.02 * std ** 2);
      expect(functionEvaluations).to.equal(name === 'euler-maruyama' ? 150 : 160);
      const again = await flow.sample(64, { seed: 5, solver });
      again.samples.data.forEach((value, i) => expect(value).to.be.closeTo(values[i], 1e-4));
    });
  }

  it('has no likelihood along a stochastic solver', async () => {
    const solver = eulerMaruyama({ steps: 3 });
    const failures = [
      flow.sample(2, { solver, logLikelihood: { divergence: 'exact' } }),
      flow.logLikelihood(points([[1, 1, 1]]), { solver, divergence: 'exact' }),
    ];
    for (const failure of failures)
      expect(await failure.catch((error: unknown) => error)).to.be.instanceOf(OptionError);
  });

  it('refuses before a training what sampling would refuse with any parameters', async () => {
    const solver = eulerMaruyama({ steps: 3 });
    const trained = await smallFlow(backend());
    const paired = await smallFlow(backend(), { coupling: optimalTransportCoupling(), solver });
    try {
      const scored = { solver, logLikelihood: { divergence: 'exact' } } as const;
      const resolved = { solver: dopri5({ rtol: 1e-17, atol: 1e-5 }) };
      for (const [of, options, message] of [
        [paired, {}, "needs the score, which does not follow from a velocity trained on pairs of the coupling 'opt"],
        [trained, scored, "The solver 'euler-maruyama' draws noise along the way."],
        [trained, resolved, "The solver 'dopri5' cannot meet rtol = 1e-17 in f"],
      ] as const) {
        const before = await of.checkSampling([2], options).catch((error: unknown) => error);
        expect(before).to.be.instanceOf(OptionError).with.property('message').that.includes(message);
      }
      await trained.checkSampling([2], { solver });
      const refused = await flow.sample(2, resolved).catch((error: unknown) => error);
      expect(refused).to.be.instanceOf(OptionError).with.property('message').that.includes('cannot meet rtol = 1e-17');
    } finally {
      await trained.dispose();
      await paired.dispose();
    }
  });

  it('refuses counts that are none, or that no memory could hold, before any work', async () => {
    const refusal = (count: number, options: object = {}): Promise<unknown> =>
      flow.sample(count, { solver: midpoint({ steps: 1 }), ...options }).catch((error: unknown) => error);
    for (const count of [0, -1, 1.5, NaN, Infinity, 1e300, 2 ** 53, 2 ** 31, 2 ** 27]) {
      expect(await refusal(count), `${count} samples`)
        .to.be.instanceOf(OptionError)
        .with.deep.property('actual', count);
      expect(await refusal(2, { batchSize: count }), `batches of ${count}`).to.be.instanceOf(OptionError);
      expect(await refusal(2, { trajectory: count }), `${count} points`).to.be.instanceOf(OptionError);
      const probes = { divergence: 'hutchinson', probes: count } as const;
      expect(await refusal(2, { logLikelihood: probes }), `${count} probes`).to.be.instanceOf(OptionError);
    }
    expect(await refusal(2 ** 20, { trajectory: 2 ** 20 }))
      .to.be.instanceOf(MemoryError)
      .with.property('message')
      .that.matches(/The samples would take an array of \d+ numbers\. Expected at most 4294967296\./);
  });

  it('is a function of the seed and the sample index, whatever the batch', async () => {
    const solver = midpoint({ steps: 8 });
    const [whole, parts, other] = [
      await flow.sample(100, { solver, seed: 1 }),
      await flow.sample(100, { solver, seed: 1, batchSize: 32 }),
      await flow.sample(100, { solver, seed: 2 }),
    ];
    whole.samples.data.forEach((value, i) => expect(parts.samples.data[i]).to.be.closeTo(value, 8 * roundOff));
    expect(Array.from(other.samples.data.slice(0, 6))).to.not.deep.equal(Array.from(whole.samples.data.slice(0, 6)));
  });

  for (const divergence of ['exact', 'hutchinson'] as const) {
    it(`gives the exact log-likelihood by the ${divergence} divergence`, async () => {
      // The Jacobian is a multiple of the identity, so one Rademacher probe has no variance.
      const rows = [
        [1.5, 1.2, 2.0],
        [0.7, 1.9, 1.4],
        [2.6, 0.9, 1.5],
      ];
      const { logLikelihood, latent } = await flow.logLikelihood(points(rows), { divergence });
      rows.forEach((row, i) => expect(logLikelihood[i]).to.be.closeTo(gaussianLogDensity(row, mean, std), 2e-4));
      nested(latent).forEach((row, i) =>
        row.forEach((x, j) => expect(x).to.be.closeTo((rows[i][j] - mean) / std, 2e-4)),
      );
    });
  }

  it('samples with log-likelihoods in one pass', async () => {
    const { samples, logLikelihood } = await flow.sample(50, { seed: 2, logLikelihood: { divergence: 'exact' } });
    nested(samples).forEach((row, i) =>
      expect(logLikelihood![i]).to.be.closeTo(gaussianLogDensity(row, mean, std), 5e-4),
    );
  });

  it('keeps trajectories from noise to sample', async () => {
    const { samples, trajectory, times } = await flow.sample(20, { seed: 2, trajectory: 6 });
    expect(trajectory!.shape).to.deep.equal([20, 6, 3]);
    expect(times).to.deep.equal([0, 0.2, 0.4, 0.6, 0.8, 1].map((t) => (t === 0.6 ? (1 * 3) / 5 : t)));
    nested(trajectory!).forEach((row, i) => {
      expect(row.slice(15)).to.deep.equal(nested(samples)[i]);
      // A Gaussian's flow is affine: x_t = 2t·… follows the same standardised noise all the way.
      const noise = row.slice(0, 3);
      const middle = row.slice(6, 9);
      middle.forEach((x, j) =>
        expect(x).to.be.closeTo(0.4 * mean + Math.sqrt(0.36 + 0.16 * std ** 2) * noise[j], 5e-4),
      );
    });
  });

  it('refuses a trajectory of a solve that stops early, and reports where it stopped', async () => {
    const solver = dopri5({ rtol: 1e-6, atol: 1e-6, maxSteps: 2 });
    expect((await flow.sample(2, { solver })).status).to.deep.equal(['maxSteps', 'maxSteps']);
    const outcome = await flow.sample(2, { solver, trajectory: 5 }).catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(SolverError);
    expect((outcome as Error).message).to.match(
      /^2 of 2 solves ended with status maxSteps .* Sample 0 stands at t = 0\./,
    );
  });

  it('counts evaluations of a fixed-step method', async () => {
    const { functionEvaluations, acceptedSteps } = await flow.sample(3, { solver: euler({ steps: 12 }) });
    expect([functionEvaluations, acceptedSteps]).to.deep.equal([12, 12]);
  });

  it('scores more dimensions than it unrolls', async () => {
    const wide = await smallFlow(backend(), { model: gaussianField(mean, std) });
    wide.load({}, { shape: [4, 5] });
    const row = Array.from({ length: 20 }, (_, i) => mean + 0.3 * Math.sin(i));
    const { logLikelihood } = await wide.logLikelihood(
      { data: Float32Array.from([...row, ...row]), shape: [2, 4, 5], dtype: 'f32' },
      { divergence: 'exact' },
    );
    await wide.dispose();
    expect(logLikelihood[1]).to.be.closeTo(gaussianLogDensity(row, mean, std), 2e-3);
  });

  it('reports progress that ends at the count', async () => {
    const seen: number[] = [];
    await flow.sample(70, { batchSize: 32, onProgress: (done) => seen.push(done) });
    expect(seen.at(-1)).to.equal(70);
    expect(seen.every((value, i) => i === 0 || value >= seen[i - 1] - 1e-9)).to.equal(true);
  });

  it('refuses what cannot be sampled or scored', async () => {
    const failures = [
      flow.sample(0),
      flow.sample(2, { trajectory: 1 }),
      flow.logLikelihood(points([[1, 2]]), { divergence: 'exact' }),
      flow.logLikelihood(points([[1, NaN, 2]]), { divergence: 'exact' }),
      flow.logLikelihood(points([[1, 1, 2]]), { divergence: 'hutchinson', probes: 0 }),
      flow.logLikelihood(points([[1, 1, 2]]), { divergence: 'trace' as never }),
    ].map((promise) => promise.then(() => undefined).catch((error: unknown) => (error as { code?: string }).code));
    expect(await Promise.all(failures)).to.deep.equal([
      'FM_OPTION',
      'FM_OPTION',
      'FM_DATA',
      'FM_DATA',
      'FM_OPTION',
      'FM_OPTION',
    ]);
  });

  it('says that a flow has no parameters yet', async () => {
    const empty = await smallFlow(backend());
    const failure = await empty.sample(3).catch((error: unknown) => error);
    await empty.dispose();
    expect(failure).to.be.instanceOf(GraphError);
    expect((failure as Error).message).to.include('no parameters');
  });
});

onEachBackend('a tolerance that is met', (backend) => {
  it('ends within a few tolerances of a solve a hundred times finer', async () => {
    const flow = await smallFlow(backend(), { model: gaussianField(2, 0.3) });
    flow.load({}, { shape: [2] });
    const [coarse, fine] = [
      await flow.sample(64, { solver: dopri5({ rtol: 1e-4, atol: 1e-4 }) }),
      await flow.sample(64, { solver: dopri5({ rtol: 1e-6, atol: 1e-6 }) }),
    ];
    await flow.dispose();
    coarse.samples.data.forEach((value, i) => expect(value).to.be.closeTo(fine.samples.data[i], 1e-3));
    expect(fine.functionEvaluations).to.be.greaterThan(coarse.functionEvaluations);
  });
});
