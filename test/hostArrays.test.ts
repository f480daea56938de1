import { type Dataset, type Flow, type VectorFieldModel } from '@flow-matching/core';
import { createReferenceBackend, FlowMatchingError, hostArray, type HostArray } from '@flow-matching/tensor';
import { adam, energyDistance, euler, points as pointsData } from '@flow-matching/plugins';
import { expect } from 'chai';
import fc from 'fast-check';
import { points, smallFlow } from './support/flows.ts';

/** Moves points by their condition, [count, 2]. */
const conditional: VectorFieldModel = {
  name: 'conditional',
  init: () => ({ w: hostArray([1]) }),
  apply: (parameters, { x, condition }) => x.mul(0).add(condition!['shift'].mul((parameters as { w: typeof x }).w)),
};
const rows = (count: number, width = 2): HostArray =>
  hostArray(new Float32Array(count * width).fill(1), [count, width]);

/** Changes a well-formed f32 array so that it no longer is what was asked for, with the codes that may say so. */
const spoiled: Readonly<Record<string, (array: HostArray) => { readonly array: unknown; readonly codes: string[] }>> = {
  'a row too few': ({ shape: [count, ...rest] }) => ({
    array: hostArray(new Float32Array((count - 1) * rest[0]), [count - 1, ...rest]),
    codes: ['FM_DATA'],
  }),
  'a row too many': ({ shape: [count, ...rest] }) => ({
    array: hostArray(new Float32Array((count + 1) * rest[0]), [count + 1, ...rest]),
    codes: ['FM_DATA'],
  }),
  'an element too few': (array) => ({ array: { ...array, data: array.data.slice(1) }, codes: ['FM_SHAPE'] }),
  'an element too many': (array) => ({
    array: { ...array, data: new Float32Array(array.data.length + 1) },
    codes: ['FM_SHAPE'],
  }),
  'another dtype': (array) => ({ array: { ...array, dtype: 'i32' }, codes: ['FM_DTYPE'] }),
  'an unknown dtype': (array) => ({ array: { ...array, dtype: 'float32' }, codes: ['FM_DTYPE'] }),
  'a typed array of another dtype': (array) => ({
    array: { ...array, data: new Int32Array(array.data.length) },
    codes: ['FM_DTYPE'],
  }),
  'a NaN': (array) => ({ array: withLast(array, NaN), codes: ['FM_DATA'] }),
  'an infinity': (array) => ({ array: withLast(array, -Infinity), codes: ['FM_DATA'] }),
  'a plain array of numbers': (array) => ({ array: { ...array, data: Array.from(array.data) }, codes: ['FM_DATA'] }),
  'nothing but numbers': (array) => ({ array: Array.from(array.data), codes: ['FM_DATA'] }),
  'another width': ({ shape: [count, width] }) => ({ array: rows(count, width + 1), codes: ['FM_DATA'] }),
};
const withLast = (array: HostArray, value: number): HostArray => {
  const data = array.data.slice();
  data[data.length - 1] = value;
  return { ...array, data };
};

async function failureOf(action: () => Promise<unknown>): Promise<FlowMatchingError> {
  const outcome = await action().catch((error: unknown) => error);
  if (outcome instanceof FlowMatchingError) return outcome;
  throw outcome instanceof Error ? outcome : new Error('was accepted');
}

describe('host arrays are checked where they enter', () => {
  let flow: Flow;
  const solver = euler({ steps: 1 });
  before(async () => {
    flow = await smallFlow(createReferenceBackend(), { model: conditional, solver });
    flow.load({ w: hostArray([1]) }, { shape: [2], condition: { shift: [2] } });
  });
  after(async () => {
    await flow.dispose();
    await flow.backend.dispose();
  });
  const dataset = (batch: object): Dataset => ({ name: 'own', shape: [2], batch: () => batch as never });
  const training = { optimizer: adam(), steps: 1, batchSize: 4 };

  /** Every place that takes an array of `count` rows, by what the message must name. */
  const entries: Readonly<Record<string, (array: HostArray, count: number) => Promise<unknown>>> = {
    source: (source, count) => flow.sample(count, { source, condition: { shift: rows(count) } }),
    'condition.shift': (shift, count) => flow.sample(count, { condition: { shift } }),
    points: (given, count) => flow.logLikelihood(given, { divergence: 'exact', condition: { shift: rows(count) } }),
    'x1 of the data set': (x1, count) =>
      flow.begin(dataset({ x1, condition: { shift: rows(count) } }), { ...training, batchSize: count }),
    'condition.shift of the data set': (shift, count) =>
      flow.begin(dataset({ x1: rows(count), condition: { shift } }), { ...training, batchSize: count }),
  };

  for (const [entry, enter] of Object.entries(entries)) {
    it(`${entry}: what is well formed passes, and nothing else does`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 2, max: 5 }),
          fc.constantFrom(...Object.keys(spoiled)),
          async (count, way) => {
            await enter(rows(count), count);
            // A data set says itself how wide and of which dtype its conditions are; points say how many they are.
            if (entry === 'condition.shift of the data set' && ['another width', 'another dtype'].includes(way)) return;
            const { array, codes } = spoiled[way](rows(count));
            if (entry === 'condition.shift' && way === 'another dtype') codes.push('FM_DTYPE');
            const { code, message } = await failureOf(() => enter(array as HostArray, count));
            expect(codes, `${way}: ${message}`).to.include(code);
            // Where points are short or long, it is their conditions that no longer fit.
            if (!(entry === 'points' && way.startsWith('a row'))) expect(message).to.include(entry);
          },
        ),
        { numRuns: 40, seed: 1 },
      );
    });
  }

  it('conditions have the names that the flow was trained with', async () => {
    const missing = await failureOf(() => flow.sample(2));
    expect([missing.code, missing.message]).to.satisfy(
      ([code, text]: string[]) => code === 'FM_DATA' && text.includes("'shift' is missing"),
    );
    const unknown = await failureOf(() => flow.sample(2, { condition: { shift: rows(2), other: rows(2) } }));
    expect(unknown.message).to.include("no condition 'other'");
    const scored = await failureOf(() => flow.logLikelihood(rows(2), { divergence: 'exact' }));
    expect(scored.message).to.include("'shift' is missing");
  });

  it('counts and batch sizes are whole numbers of 1 or more', async () => {
    const condition = { shift: rows(5) };
    for (const batchSize of [0, -1, 1.5, NaN, Infinity]) {
      const { code, message } = await failureOf(() => flow.sample(5, { batchSize, condition }));
      expect([code, message.includes('batchSize')]).to.deep.equal(['FM_OPTION', true]);
    }
    for (const count of [0, 2.5, NaN]) expect((await failureOf(() => flow.sample(count))).code).to.equal('FM_OPTION');
  });

  it('a later batch of a training is checked too', async () => {
    const data: Dataset = {
      name: 'own',
      shape: [2],
      batch: ({ index, size }) => ({ x1: rows(index === 1 ? size - 1 : size), condition: { shift: rows(size) } }),
    };
    const begun = await flow.begin(data, { ...training, steps: 3, reportEvery: 1 });
    const failure = await failureOf(async () => {
      for await (const _ of begun);
    });
    await begun.dispose();
    expect([failure.code, failure.message.includes("'own'")]).to.deep.equal(['FM_DATA', true]);
  });

  it('parameters are well formed, and those in use stay where they are not', async () => {
    const wrong = { w: { data: new Float32Array(3), shape: [1], dtype: 'f32' } } as const;
    const { code, message } = await failureOf(async () => flow.load(wrong, { shape: [2], condition: { shift: [2] } }));
    expect([code, message.includes("'w'")]).to.deep.equal(['FM_SHAPE', true]);
    const w = hostArray([1]);
    for (const others of [{ w, v: w }, { 'w.0': w }] as Record<string, HostArray>[]) {
      const refused = await failureOf(async () => flow.load(others, { shape: [2], condition: { shift: [2] } }));
      expect([refused.code, /'(v|w\.0)'/.test(refused.message)]).to.deep.equal(['FM_GRAPH', true]);
    }
    const { samples } = await flow.sample(2, { condition: { shift: rows(2) } });
    expect(samples.shape).to.deep.equal([2, 2]);
  });

  it('points in memory fill their shape', async () => {
    const short = { data: new Float32Array(5), shape: [3, 2], dtype: 'f32' } as const;
    expect((await failureOf(async () => pointsData({ data: short }))).code).to.equal('FM_SHAPE');
  });

  it('estimators get as many held-out points as they asked for', async () => {
    const plain = await smallFlow(flow.backend, { solver });
    const data = dataset({ x1: points([[1, 2]]) });
    await using begun = await plain.begin(dataset({ x1: rows(4) }), training);
    await plain.adopt(begun);
    const failure = await failureOf(() => energyDistance().estimate({ flow: plain, data, count: 3, seed: 0 }));
    expect([failure.code, failure.message.includes("'own'")]).to.deep.equal(['FM_DATA', true]);
    await plain.dispose();
  });
});
