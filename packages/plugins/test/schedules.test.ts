import { createContainer, PluginRegistry } from '@flow-matching/core';
import { OptionError } from '@flow-matching/tensor';
import { expect } from 'chai';
import { builtinPlugins, constantSchedule, cosineSchedule, polynomialSchedule } from '../src/index.ts';
import { expectClose } from './support/expectClose.ts';

describe('schedules', () => {
  const all = [constantSchedule, cosineSchedule, polynomialSchedule];

  it('rise on a line from warmupFrom to 1', () => {
    for (const plugin of all) {
      const schedule = plugin({ warmup: 200, warmupFrom: 0.1 });
      expectClose(
        [0, 50, 100, 199, 200].map((step) => schedule.factor(step, 4000)),
        [0.1, 0.325, 0.55, 0.9955, 1],
        1e-15,
        plugin.pluginName,
      );
    }
  });

  it('start at 1 without a warm-up', () => {
    for (const schedule of all) expect(schedule().factor(0, 10)).to.equal(1);
  });

  it('constant: 1 to the end and beyond', () => {
    const schedule = constantSchedule({ warmup: 2 });
    expect([2, 5, 10, 20].map((step) => schedule.factor(step, 10))).to.deep.equal([1, 1, 1, 1]);
  });

  it('cosine: half a wave after the warm-up', () => {
    const schedule = cosineSchedule({ warmup: 200 });
    const progress = [0, 0.25, 0.5, 0.75, 1];
    expectClose(
      progress.map((share) => schedule.factor(200 + 3800 * share, 4000)),
      progress.map((share) => (1 + Math.cos(Math.PI * share)) / 2),
      1e-15,
    );
    expectClose(
      [cosineSchedule({ final: 0.1 }).factor(50, 100), cosineSchedule({ final: 0.1 }).factor(100, 100)],
      [0.55, 0.1],
      1e-15,
    );
  });

  it('polynomial: a power of what is left', () => {
    const schedule = polynomialSchedule({ warmup: 100 });
    expectClose(
      [100, 325, 550, 775, 1000].map((step) => schedule.factor(step, 1000)),
      [1, 0.75, 0.5, 0.25, 0],
      1e-15,
    );
    expectClose(
      [polynomialSchedule({ power: 3 }).factor(50, 100), polynomialSchedule({ power: 2, final: 0.2 }).factor(50, 100)],
      [0.125, 0.4],
      1e-15,
    );
  });

  it('stay at their last factor past the end, and survive a warm-up as long as the training', () => {
    for (const plugin of [cosineSchedule, polynomialSchedule]) {
      expectClose([plugin({ final: 0.2 }).factor(500, 100)], [0.2], 1e-15);
      const schedule = plugin({ warmup: 10, warmupFrom: 0 });
      for (let step = 0; step < 10; step++) expect(schedule.factor(step, 10)).to.equal(step / 10);
      expect(schedule.factor(10, 10)).to.equal(1);
    }
  });

  it('refuse options that make no sense', () => {
    expect(() => cosineSchedule({ warmup: 1.5 })).to.throw(OptionError, 'warmup');
    expect(() => cosineSchedule({ warmup: -1 })).to.throw(OptionError, 'warmup');
    expect(() => polynomialSchedule({ power: 0 })).to.throw(OptionError, 'power');
    expect(() => constantSchedule({ final: 0.5 } as never)).to.throw(OptionError, 'final');
  });

  it('are found by name inside an optimizer', () => {
    const registry = new PluginRegistry(createContainer(builtinPlugins));
    const { learningRate, schedule } = registry.build('optimizer', {
      name: 'adam',
      learningRate: 3e-3,
      schedule: { name: 'cosine', warmup: 200, warmupFrom: 0 },
    });
    expect([learningRate, schedule.factor(100, 4000)]).to.deep.equal([3e-3, 0.5]);
  });
});
