import { type Optimizer, type Schedule, type VectorFieldModel } from '@flow-matching/core';
import { createReferenceBackend, hostArray } from '@flow-matching/tensor';
import { constantSchedule, cosineSchedule } from '@flow-matching/plugins';
import { expect } from 'chai';
import { gaussianData, smallFlow } from './support/flows.ts';

/** A model of one number, which the update below moves whatever the gradient is. */
const single: VectorFieldModel = {
  name: 'single',
  init: () => ({ w: hostArray([0]) }),
  apply: (parameters, { x }) => x.mul((parameters as { w: typeof x }).w.reshape([])),
};

/** Moves each parameter by the learning rate itself, so that the rate of a step can be read off. */
const byTheRate = (learningRate: number, schedule: Schedule): Optimizer => ({
  name: 'by-the-rate',
  learningRate,
  schedule,
  init: () => ({}),
  update: ({ parameter, learningRate: rate }) => ({ parameter: parameter.add(rate), state: {} }),
});

describe('the learning rate of a training', () => {
  const schedules: readonly (readonly [string, Schedule])[] = [
    ['a power of two a step', { name: 'powers', factor: (step) => 2 ** step }],
    ['a constant', constantSchedule()],
    ['cosine with a warm-up', cosineSchedule({ warmup: 3 })],
  ];
  for (const [name, schedule] of schedules) {
    it(`is at step n, from 0, the base rate times factor(n) of all steps: ${name}`, async () => {
      await using backend = createReferenceBackend();
      await using flow = await smallFlow(backend, { model: single });
      const steps = 8;
      const optimizer = byTheRate(0.5, schedule);
      await using training = await flow.begin(gaussianData(), { optimizer, steps, batchSize: 2, reportEvery: 1 });
      let before = 0;
      const used: number[] = [];
      const reported: number[] = [];
      for await (const { learningRate } of training) {
        const { parameters } = await training.state();
        used.push(parameters['w'].data[0] - before);
        [before] = parameters['w'].data;
        reported.push(learningRate);
      }
      const expected = Array.from({ length: steps }, (_, step) => 0.5 * schedule.factor(step, steps));
      expected.forEach((rate, step) => expect(used[step], `step ${step}`).to.be.closeTo(rate, 1e-6 * (1 + 2 ** step)));
      expect(reported).to.deep.equal(expected);
    });
  }

  it('goes on at the step of a resumed training', async () => {
    await using backend = createReferenceBackend();
    await using flow = await smallFlow(backend, { model: single });
    const options = {
      optimizer: byTheRate(1, { name: 'powers', factor: (step, steps) => steps * 2 ** step }),
      steps: 6,
      batchSize: 2,
      reportEvery: 1,
    };
    const controller = new AbortController();
    const first = await flow.begin(gaussianData(), { ...options, signal: controller.signal });
    for await (const { step } of first) if (step === 4) controller.abort();
    const resume = await first.state();
    await first.dispose();
    await using second = await flow.begin(gaussianData(), { ...options, resume });
    for await (const _ of second);
    const { parameters } = await second.state();
    // 6 · (1 + 2 + 4 + 8 + 16 + 32).
    expect(parameters['w'].data[0]).to.equal(6 * 63);
  });
});
