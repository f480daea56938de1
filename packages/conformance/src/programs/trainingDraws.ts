import { Trainer, type Dataset, type Objective, type VectorFieldModel } from '@flow-matching/core';
import { hostArray, type Backend, type HostArray, type Tensor } from '@flow-matching/tensor';
import { independent, optimalTransport, sgd, uniform } from '@flow-matching/plugins';

const batchSize = 256;
const steps = 8;

/** v = a + t·b with one row of parameters per sample: their gradients reveal the draws of each sample. */
const rows: VectorFieldModel<Readonly<Record<'a' | 'b', HostArray>>, Readonly<Record<'a' | 'b', Tensor>>> = {
  name: 'rows',
  init: () => ({ a: zeros(), b: zeros() }),
  apply: ({ a, b }, { t }) => a.add(b.mul(t.reshape([batchSize, 1]))),
};

const zeros = (): HostArray => hostArray(new Float32Array(2 * batchSize), [batchSize, 2]);

/** Its loss is linear: the gradient with respect to a sample's prediction is its noise. */
const linear: Objective = {
  name: 'linear',
  loss: (prediction, { noise }) => prediction.mul(noise).sum(1),
  field: (prediction) => prediction,
};

const data: Dataset = { name: 'zeros', shape: [2], batch: () => ({ x1: zeros() }) };

/** The noise [steps·batch, 2] and the times [steps·batch] of a training, from gradient descent steps with rate 1 per sample. */
export async function trainingDraws(backend: Backend, seed: number): Promise<{ noise: number[]; times: number[] }> {
  const trainer = new Trainer(backend, optimalTransport(), independent(), linear, uniform(), rows);
  const options = { optimizer: sgd({ learningRate: batchSize }), steps, batchSize, seed, reportEvery: 1 };
  await using training = await trainer.begin(data, options);
  let before = [zeros().data, zeros().data];
  const [noise, times]: [number[], number[]] = [[], []];
  for await (const report of training) {
    void report;
    const { parameters } = await training.state();
    const after = [parameters['a'].data, parameters['b'].data];
    const [byA, byB] = after.map((values, k) => Array.from(values, (value, i) => before[k][i] - value));
    noise.push(...byA);
    for (let row = 0; row < batchSize; row++) {
      // The quotients of both coordinates are equal; this uses the one with more digits.
      const i = Math.abs(byA[2 * row]) > Math.abs(byA[2 * row + 1]) ? 2 * row : 2 * row + 1;
      times.push(byB[i] / byA[i]);
    }
    before = after;
  }
  return { noise, times };
}
