import { runConformance, type ConformanceCase } from '@flow-matching/conformance';
import {
  allocate,
  createReferenceBackend,
  f32,
  hostArray,
  hostBackend,
  isFloat,
  sizeOf,
  trace,
  type Backend,
  type Tensor,
} from '@flow-matching/tensor';
import { tfjs } from '@flow-matching/backend-tfjs';
import { adam, euler, mlp, optimalTransportCoupling } from '@flow-matching/plugins';
import { expect } from 'chai';
import { countingBackend, type Compilations } from './support/countingBackend.ts';
import { gaussianData, points, smallFlow } from './support/flows.ts';

/** Far more than can be done before a timer of a millisecond is due. */
const endless = 20_000;

/** Results that are there at once, −1 where they are floats and 0 otherwise: nothing that it does waits for the event loop. */
const immediate = (): Backend =>
  hostBackend({
    name: 'immediate',
    device: 'none',
    manifest: createReferenceBackend().manifest,
    compile: (graph) => () =>
      Object.fromEntries(
        graph.outputs.map(({ name, tensor: { shape, dtype } }) => [
          name,
          { data: allocate(dtype, sizeOf(shape)).fill(isFloat(dtype) ? -1 : 0), shape, dtype },
        ]),
      ),
  });

describe('drivers on a backend that computes at once', () => {
  let backend: Backend;
  let counts: Compilations;
  beforeEach(() => {
    ({ backend, counts } = countingBackend(immediate()));
  });
  afterEach(() => backend.dispose());

  /** A signal that fires when a timer does, and how many runs there had been. */
  function abortByTimer(): { signal: AbortSignal; runsBefore: () => number } {
    const controller = new AbortController();
    let runs = -1;
    setTimeout(() => {
      runs = counts.runs;
      controller.abort(new Error('enough'));
    }, 1);
    return { signal: controller.signal, runsBefore: () => runs };
  }

  it('stop a training before its next step', async () => {
    const flow = await smallFlow(backend, { model: mlp({ width: 2, depth: 2 }) });
    const { signal, runsBefore } = abortByTimer();
    const options = { optimizer: adam(), steps: endless, batchSize: 2, reportEvery: endless, signal };
    const training = await flow.begin(gaussianData(), options);
    for await (const { step } of training) expect(step).to.equal(counts.runs);
    expect(counts.runs).to.equal(runsBefore());
    await training.dispose();
    await flow.dispose();
  });

  it('stop a training within a pairing, before the step that it is for', async () => {
    const coupling = optimalTransportCoupling();
    const batchSize = 2048;
    const controller = new AbortController();
    let pairings = 0;
    const flow = await smallFlow(backend, {
      model: mlp({ width: 2, depth: 2 }),
      coupling: {
        name: 'counted',
        pair(request) {
          if (++pairings === 1) return Int32Array.from({ length: batchSize }, (_, i) => i);
          setTimeout(() => controller.abort(new Error('enough')), 1);
          return coupling.pair!(request);
        },
      },
    });
    const { signal } = controller;
    const options = { optimizer: adam(), steps: 3, batchSize, reportEvery: 3, signal };
    const training = await flow.begin(gaussianData(), options);
    const reports: number[] = [];
    for await (const { step } of training) reports.push(step);
    expect(counts.runs).to.equal(1);
    expect(reports).to.deep.equal([1]);
    await training.dispose();
    await flow.dispose();
  });

  it('take the order of a coupling that returns at once, and hear of its errors after an abort', async () => {
    const controller = new AbortController();
    const broken = new Error('out of order');
    const flow = await smallFlow(backend, {
      model: mlp({ width: 2, depth: 2 }),
      coupling: {
        name: 'immediate',
        pair({ random, signal }) {
          expect(signal).to.equal(controller.signal);
          if (counts.runs < 2) return random.uniform([1]).data[0] < 0.5 ? Int32Array.of(0, 1) : Int32Array.of(1, 0);
          controller.abort();
          throw broken;
        },
      },
    });
    const options = { optimizer: adam(), steps: 5, batchSize: 2, signal: controller.signal };
    const training = await flow.begin(gaussianData(), options);
    const outcome = await training[Symbol.asyncIterator]()
      .next()
      .catch((error: unknown) => error);
    expect(outcome).to.equal(broken);
    expect(counts.runs).to.equal(2);
    await training.dispose();
    await flow.dispose();
  });

  for (const what of ['sample', 'score'] as const) {
    it(`stop a solve before its next step (${what})`, async () => {
      const flow = await smallFlow(backend, { model: mlp({ width: 2, depth: 2 }), solver: euler({ steps: endless }) });
      const { parameters } = await initialState(flow);
      flow.load(parameters, { shape: [2] });
      const { signal, runsBefore } = abortByTimer();
      const work =
        what === 'sample'
          ? flow.sample(2, { signal })
          : flow.logLikelihood(points([[1, 2]]), { signal, divergence: 'exact' });
      const outcome = await work.catch((error: unknown) => error);
      expect((outcome as Error).message).to.equal('enough');
      expect(counts.runs).to.equal(runsBefore());
      await flow.dispose();
    });
  }

  it('stop a conformance run before its next case', async () => {
    const cases: ConformanceCase[] = Array.from({ length: 2 ** 14 }, (_, i) => ({
      id: `L0/nothing/${i}`,
      level: 0,
      claim: 'Nothing.',
      run: async () => undefined,
    }));
    let done = 0;
    let atAbort = -1;
    const controller = new AbortController();
    setTimeout(() => {
      atAbort = done;
      controller.abort();
    }, 1);
    const report = await runConformance(immediate, {
      cases,
      signal: controller.signal,
      onResult: (_, count) => (done = count),
    });
    expect(report.results).to.have.length(atAbort).and.length.below(cases.length);
  });
});

async function initialState(flow: Awaited<ReturnType<typeof smallFlow>>) {
  await using training = await flow.begin(gaussianData(), { optimizer: adam(), steps: 1, batchSize: 2 });
  return await training.state();
}

const size = 160;
const chained = (products: number) =>
  trace(({ x }: { x: Tensor }) => ({ y: Array.from({ length: products }).reduce<Tensor>((y) => y.matmul(x), x) }), {
    x: f32([size, size]),
  });

/** With products enough for the clock to strike during a run, on any machine. */
for (const [name, create, products] of [
  ['reference', async () => createReferenceBackend(), 20],
  ['tfjs, engine cpu', () => tfjs({ engine: 'cpu' }), 20],
  ['tfjs, engine wasm', () => tfjs({ engine: 'wasm' }), 500],
] as const) {
  describe(`a long run of a backend that interprets (${name})`, () => {
    it('lets timers in between its kernels', async () => {
      await using backend = await create();
      const executable = await backend.compile(chained(products));
      let ended = false;
      const order: string[] = [];
      const timer = new Promise<void>((resolve) =>
        setTimeout(() => {
          order.push(ended ? 'timer after the run' : 'timer during the run');
          resolve();
        }, 1),
      );
      const { y } = await executable.run({ x: hostArray(new Float32Array(size * size), [size, size]) });
      ended = true;
      await timer;
      expect(order).to.deep.equal(['timer during the run']);
      y.dispose();
    });
  });
}
