import { Trainer, type Dataset, type TrainingState, type VectorFieldModel } from '@flow-matching/core';
import {
  abs,
  HostRandomStream,
  hostArray,
  hostScalar,
  sqrt,
  streams,
  type Backend,
  type HostArray,
  type Tensor,
} from '@flow-matching/tensor';
import { adam, conditionalFlowMatching, independent, optimalTransport, uniform } from '@flow-matching/plugins';

/** The step, from 0, whose data make the gradient infinite. */
export const brokenStep = 2;
const steps = 5;

/** v = a·x + √|b·c| with the condition c, whose derivative by b is not finite at c = 0 while its value is. */
const rooted: VectorFieldModel<Readonly<Record<'a' | 'b', HostArray>>, Readonly<Record<'a' | 'b', Tensor>>> = {
  name: 'rooted',
  init: () => ({ a: hostScalar(0.5), b: hostScalar(1) }),
  apply: ({ a, b }, { x, condition }) => x.mul(a).add(sqrt(abs(condition!['c'].mul(b)))),
};

const data: Dataset = {
  name: 'normals',
  shape: [2],
  batch({ index, size, seed }) {
    const c = new Float32Array(size).fill(index === brokenStep ? 0 : 1);
    return {
      x1: new HostRandomStream(seed, streams.data, index).normal([size, 2]),
      condition: { c: hostArray(c, [size, 1]) },
    };
  },
};

/** The states after each step, with the number of skips so far. */
export async function statesAroundSkip(backend: Backend): Promise<{ state: TrainingState; skipped: number }[]> {
  const parts = [optimalTransport(), independent(), conditionalFlowMatching(), uniform(), rooted] as const;
  const options = { optimizer: adam({ learningRate: 0.1 }), steps, batchSize: 8, reportEvery: 1 };
  await using training = await new Trainer(backend, ...parts).begin(data, options);
  const states: { state: TrainingState; skipped: number }[] = [];
  for await (const { skipped } of training) states.push({ state: await training.state(), skipped });
  return states;
}
