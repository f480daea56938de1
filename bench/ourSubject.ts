import type { Backend, Flow } from '@flow-matching/core';
import { checkerboard } from '@flow-matching/plugins';
import { benchFlow, benchOptimizer, firstRows, type SharedInputs } from './experiment.ts';
import type { PreparedWork, Subject } from './subject.ts';
import type { Work, WorkKind } from './works.ts';

/** The framework on one backend, used as a library user would. */
export class OurSubject implements Subject {
  readonly name: string;
  readonly #backend: Backend;
  readonly #inputs: SharedInputs;

  constructor(backend: Backend, inputs: SharedInputs) {
    this.name = `flow-matching (${backend.name})`;
    this.#backend = backend;
    this.#inputs = inputs;
  }

  async prepare(work: Work): Promise<PreparedWork> {
    return prepareOurWork(this.#backend, this.#inputs, work);
  }

  async close(): Promise<void> {
    await this.#backend.dispose();
  }
}

/** Our side of a work on any backend: the profiler runs it too. */
export async function prepareOurWork(backend: Backend, inputs: SharedInputs, work: Work): Promise<PreparedWork> {
  const flow = await benchFlow(backend);
  flow.load(inputs.parameters, { shape: [2] });
  return preparations[work.kind](flow, inputs, work);
}

type Prepare = (flow: Flow, inputs: SharedInputs, work: Work) => Promise<PreparedWork>;

const preparations: Readonly<Record<WorkKind, Prepare>> = {
  training: prepareTraining,
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
async function prepareTraining(flow: Flow, _: SharedInputs, { size, operations }: Work): Promise<PreparedWork> {
  const data = checkerboard();
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

function mean(values: ArrayLike<number>, of: (value: number) => number = (value) => value): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += of(values[i]);
  return sum / values.length;
}
