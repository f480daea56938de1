import type { ModelContext, VectorFieldModel } from '@flow-matching/core';
import { MemoryError, OptionError } from '@flow-matching/tensor';
import { adam, mlp, sgd } from '@flow-matching/plugins';
import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { checkSamplesMemory, checkTrainingMemory } from '../src/run/memory.ts';
import { inProcess, temporaryFolder } from './support/commandLine.ts';
import { tinyExperiment } from './support/tinyExperiment.ts';

const gibibyte = 2 ** 30;

const refusal = (check: () => number): MemoryError => {
  try {
    check();
  } catch (error) {
    expect(error).to.be.instanceOf(MemoryError);
    return error as MemoryError;
  }
  throw new Error('it was accepted');
};

describe('the memory of a training', () => {
  const context: ModelContext = { shape: [2] };
  const bytes = (
    options: Parameters<typeof mlp>[0],
    { batchSize = 10, ema = false, optimizer = sgd(), limit = Infinity } = {},
  ): number => checkTrainingMemory({ model: mlp(options), context, optimizer, batchSize, ema }, limit);

  it('is that of parameters, gradient, host copy and batch', () => {
    // [3, 5] + 5 + [5, 2] + 2 parameters thrice; ten points of 2 numbers four times, and 5 + 2 activations each.
    expect(bytes({ width: 5, depth: 2 })).to.equal(4 * (3 * 32 + 10 * (4 * 2 + 7)));
  });

  it('grows with the moments of the optimizer and the moving average', () => {
    const least = bytes({ width: 5, depth: 2 });
    expect(bytes({ width: 5, depth: 2 }, { optimizer: adam() })).to.equal(least + 4 * 2 * 32);
    expect(bytes({ width: 5, depth: 2 }, { ema: true })).to.equal(least + 4 * 32);
  });

  it('is refused before allocation if a model has too many parameters', () => {
    const error = refusal(() => bytes({ width: 65_536, depth: 1000 }, { limit: 16 * gibibyte }));
    expect(error.code).to.equal('FM_MEMORY');
    expect(error.message).to.match(
      /parameters of the model: at least [\d.]+ GiB are needed, and there are 16 GiB\. .*Lower model\.width, model\.depth/,
    );
    expect(error.actual).to.be.greaterThan(16 * gibibyte);
  });

  it('is not reported as too large if the model fails for another reason', () => {
    const broken: VectorFieldModel = {
      name: 'broken',
      init: () => {
        throw new OptionError('It is odd.', { actual: 1e300 });
      },
      apply: (_, { x }) => x,
    };
    const check = (): number =>
      checkTrainingMemory({ model: broken, context, optimizer: sgd(), batchSize: 10, ema: false }, gibibyte);
    expect(check).to.throw(OptionError, 'It is odd.');
  });

  it('is refused if a batch is too large', () => {
    expect(refusal(() => bytes({}, { batchSize: 2 ** 24, limit: 16 * gibibyte })).message).to.match(
      /a training step: at least 129 GiB are needed.*training\.batchSize/,
    );
  });

  it('may be all of the available memory', () => {
    const least = bytes({ width: 5 });
    expect(bytes({ width: 5 }, { limit: least })).to.equal(least);
    refusal(() => bytes({ width: 5 }, { limit: least - 1 }));
  });
});

describe('the memory of samples', () => {
  it('is that of points and trajectories, in parts and joined', () => {
    expect(checkSamplesMemory({ count: 10, shape: [3, 2] }, Infinity)).to.equal(2 * 10 * 6 * 4);
    expect(checkSamplesMemory({ count: 10, shape: [3, 2], trajectory: 5 }, Infinity)).to.equal(2 * 10 * 6 * 6 * 4 + 40);
  });

  it('is refused if it exceeds the available memory', () => {
    const error = refusal(() => checkSamplesMemory({ count: 2 ** 31 - 1, shape: [2] }, 16 * gibibyte));
    expect(error.message).to.match(/the samples: at least 32 GiB are needed, and there are 16 GiB\. .*Lower --count\./);
    const way = refusal(() => checkSamplesMemory({ count: 1000, shape: [2], trajectory: 1e8 }, 16 * gibibyte));
    expect(way.message).to.match(/their trajectories: .* Lower --count or --trajectory\./);
  });
});

describe('a training that does not fit', function () {
  this.timeout(60_000);
  const folder = temporaryFolder();

  for (const [setting, status, message] of [
    ['model={name: mlp, width: 65536, depth: 1000}', 1, /FM_MEMORY: .*GiB/],
    ['model.width=1e9', 2, /model\.width is 1000000000\. Expected a number ≤ 65536/],
    ['model.depth=1e6', 2, /model\.depth is 1000000\. Expected a number ≤ 1000/],
    ['training.batchSize=1e12', 2, /training\.batchSize is 1000000000000\. Expected a number ≤ 16777216/],
    ['training.steps=1e12', 2, /training\.steps is .* Expected a number ≤ 2147483647/],
    ['training.checkpointEvery=1e12', 2, /training\.checkpointEvery is .* Expected a number ≤ 2147483647/],
  ] as const) {
    it(`is refused before there is a run: ${setting}`, async () => {
      await writeFile(folder.file('e.yaml'), tinyExperiment);
      const run = folder.file('run');
      const ended = await inProcess('train', folder.file('e.yaml'), '--run', run, '--set', setting);
      expect(ended.stderr).to.match(message);
      expect(ended.status).to.equal(status);
      expect(existsSync(run)).to.equal(false);
    });
  }
});
