import { type Dataset, type Flow, type FlowParts } from '@flow-matching/core';
import { HostRandomStream, streams, type Backend, type HostArray } from '@flow-matching/tensor';
import { checkerboard } from '@flow-matching/plugins';
import { benchFlow, benchOptimizer, firstRows, type SharedInputs } from './experiment.ts';
import type { PreparedWork, Subject } from './subject.ts';
import type { Work } from './works.ts';

/** What differs from the experiment that is compared with peers. */
export interface Variant {
  readonly name: string;
  readonly parts: Partial<FlowParts>;
  /** The checkerboard where absent. */
  readonly data?: Dataset;
}

/** The framework on one backend, used as a library user would. */
export class OurSubject implements Subject {
  readonly name: string;
  readonly #backend: Backend;
  readonly #inputs: SharedInputs;
  readonly #variant: Variant;

  constructor(backend: Backend, inputs: SharedInputs, variant: Variant) {
    this.name = variant.name;
    this.#backend = backend;
    this.#inputs = inputs;
    this.#variant = variant;
  }

  async prepare(work: Work): Promise<PreparedWork> {
    return prepareOurWork(this.#backend, this.#inputs, work, this.#variant);
  }

  async close(): Promise<void> {
    await this.#backend.dispose();
  }
}

/** Our side of a work on any backend: the profiler runs it too. */
export async function prepareOurWork(
  backend: Backend,
  inputs: SharedInputs,
  work: Work,
  { parts, data = checkerboard() }: Omit<Variant, 'name'> = { parts: {} },
): Promise<PreparedWork> {
  if (work.kind === 'pairing') return preparePairing(parts, data, work);
  if (work.kind === 'product') throw new Error('Products are timed by bench:webgpu.');
  const flow = await benchFlow(backend, parts);
  if (work.kind === 'training') return prepareTraining(flow, data, work);
  flow.load(inputs.parameters, { shape: [2] });
  return solves[work.kind](flow, inputs, work);
}

type PrepareSolve = (flow: Flow, inputs: SharedInputs, work: Work) => Promise<PreparedWork>;

const solves: Readonly<Record<'sampling' | 'likelihood', PrepareSolve>> = {
  sampling: (flow, { source }, work) => {
    const start = firstRows(source, work.size);
    return prepareSolve(flow, work, async () => {
      const { samples, functionEvaluations } = await flow.sample(work.size, { source: start });
      return { evaluations: functionEvaluations, check: () => mean(samples.data, (value) => value * value) };
    });
  },
  likelihood: (flow, { points }, work) => {
    const scored = firstRows(points, work.size);
    return prepareSolve(flow, work, async () => {
      const { logLikelihood, functionEvaluations } = await flow.logLikelihood(scored, { divergence: 'hutchinson' });
      return { evaluations: functionEvaluations, check: () => mean(logLikelihood) };
    });
  },
};

/** The public trainer with all it does: data, noise and times, the step, the guard, the reports. A timing lasts from report to report. */
async function prepareTraining(flow: Flow, data: Dataset, { size, operations }: Work): Promise<PreparedWork> {
  const training = await flow.begin(data, {
    optimizer: benchOptimizer(),
    steps: 1e9,
    batchSize: size,
    reportEvery: operations,
  });
  const reports = training[Symbol.asyncIterator]();
  let loss = Number.NaN;
  const advance = async (): Promise<void> => {
    const report = await reports.next();
    if (!report.done) loss = report.value.loss;
  };
  await advance();
  return {
    measure: (timings) => timeRepeatedly(advance, timings, operations),
    check: async () => loss,
    release: async () => {
      await reports.return?.(undefined);
      await training.dispose();
      await flow.dispose();
    },
  };
}

/** Pairings of fresh batches with fresh noise, which are drawn beforehand. */
async function preparePairing(
  { coupling }: Partial<FlowParts>,
  data: Dataset,
  { size, operations }: Work,
): Promise<PreparedWork> {
  const requests = await Promise.all(
    Array.from({ length: operations }, async (_, index) => {
      const random = new HostRandomStream(0, streams.coupling, index);
      const batch = await data.batch({ index, size, seed: 0 });
      return { ...batch, x0: random.normal(batch.x1.shape), random };
    }),
  );
  const orders: Int32Array[] = [];
  const pairAll = async (): Promise<void> => {
    for (const [n, request] of requests.entries()) orders[n] = await coupling!.pair!(request);
  };
  await pairAll();
  return {
    measure: (timings) => timeRepeatedly(pairAll, timings, operations),
    check: async () =>
      mean(requests.map(({ x0, x1 }, n) => mean(orders[n], (row, i) => squaredDistance(x1, i, x0, row)))),
    release: async () => {},
  };
}

function squaredDistance(from: HostArray, i: number, to: HostArray, j: number): number {
  const width = from.data.length / from.shape[0];
  let sum = 0;
  for (let k = 0; k < width; k++) sum += (from.data[i * width + k] - to.data[j * width + k]) ** 2;
  return sum;
}

interface Solved {
  readonly evaluations: number;
  check(): number;
}

async function prepareSolve(flow: Flow, { operations }: Work, solve: () => Promise<Solved>): Promise<PreparedWork> {
  let last = await solve();
  const repeat = async (): Promise<void> => {
    for (let i = 0; i < operations; i++) last = await solve();
  };
  return {
    evaluations: last.evaluations,
    measure: (timings) => timeRepeatedly(repeat, timings, operations),
    check: async () => last.check(),
    release: () => flow.dispose(),
  };
}

/** Milliseconds an operation, after one untimed round that wakes threads and caches. */
async function timeRepeatedly(run: () => Promise<void>, timings: number, operations: number): Promise<number[]> {
  await run();
  const milliseconds: number[] = [];
  for (let i = 0; i < timings; i++) {
    const began = performance.now();
    await run();
    milliseconds.push((performance.now() - began) / operations);
  }
  return milliseconds;
}

function mean(values: ArrayLike<number>, of: (value: number, index: number) => number = (value) => value): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += of(values[i], i);
  return sum / values.length;
}
