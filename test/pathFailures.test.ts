import { gaussianPath, NumericalError, PathError, type Path } from '@flow-matching/core';
import { OptionError, sqrt } from '@flow-matching/tensor';
import { adam, noiseMatching, schrodingerBridge } from '@flow-matching/plugins';
import { expect } from 'chai';
import { onEachBackend } from './support/backends.ts';
import { gaussianData, points, smallFlow } from './support/flows.ts';

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(() => undefined).catch((error: unknown) => error);

onEachBackend('paths that fail', (backend) => {
  const train = async (path: Path): Promise<unknown> => {
    const flow = await smallFlow(backend(), { path });
    const training = await flow.begin(gaussianData(), {
      optimizer: adam(),
      steps: 4,
      batchSize: 16,
      reportEvery: 1,
      seed: 5,
    });
    const failure = await failureOf(
      (async () => {
        for await (const _ of training);
      })(),
    );
    await training.dispose();
    await flow.dispose();
    return failure;
  };

  it('by a formula that is NaN are named with the time and the data point that gave it', async () => {
    const broken = gaussianPath({
      name: 'broken',
      check: false,
      mean: (t, x1) => x1.mul(t),
      std: (t) => sqrt(t.neg().add(0.5)),
    });
    const failure = await train(broken);
    expect(failure).to.be.instanceOf(NumericalError);
    const message = (failure as Error).message;
    expect(message).to.match(
      /not finite at step 1: the point of the path 'broken' is NaN at t = 0\.\d+, x1 = \[\S+, \S+\]/,
    );
    expect(Number(/t = (0\.\d+)/.exec(message)?.[1])).above(0.5);
  });

  it('by their velocity alone are named too', async () => {
    // √(|t − ½| + t − ½) is 0 below ½, and so is what its derivative divides by.
    const kinked = gaussianPath({
      name: 'kinked',
      check: false,
      mean: (t, x1) => x1.mul(t.add(sqrt(t.sub(0.5).abs().add(t.sub(0.5))))),
      std: (t) => t.neg().add(1),
    });
    const failure = await train(kinked);
    expect(failure).to.be.instanceOf(NumericalError);
    expect((failure as Error).message).to.match(
      /the target velocity of the path 'kinked' is (NaN|-?Infinity) at t = 0\.[0-4]/,
    );
  });

  it('to fit an objective are refused before training, sampling and scoring', async () => {
    const flow = await smallFlow(backend(), { path: schrodingerBridge(), objective: noiseMatching() });
    flow.load({}, { shape: [2] });
    for (const asked of [
      flow.begin(gaussianData(), { optimizer: adam(), steps: 1, batchSize: 4 }),
      flow.sample(2, {
        source: points([
          [0, 1],
          [1, 0],
        ]),
      }),
    ]) {
      const failure = await failureOf(asked);
      expect(failure).to.be.instanceOf(PathError);
      expect((failure as Error).message).to.match(/noise-matching.*schrodinger-bridge/);
    }
    const density = await failureOf(
      flow.sample(2, {
        source: points([
          [0, 1],
          [1, 0],
        ]),
        logLikelihood: { divergence: 'exact' },
      }),
    );
    expect(density).to.be.instanceOf(OptionError);
    await flow.dispose();
  });
});
