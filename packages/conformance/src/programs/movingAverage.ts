import { Trainer, type Dataset } from '@flow-matching/core';
import { HostRandomStream, streams, type Backend } from '@flow-matching/tensor';
import { conditionalFlowMatching, independent, mlp, optimalTransport, sgd, uniform } from '@flow-matching/plugins';

const [steps, batchSize, seed] = [5, 16, 3];

const normals: Dataset = {
  name: 'normals',
  shape: [2],
  batch: ({ index, size, seed: key }) => ({ x1: new HostRandomStream(key, streams.data, index).normal([size, 2]) }),
};

/** Parameters and their moving averages after each step of a training, element by element in one order. */
export async function movingAverages(
  backend: Backend,
  decay: number,
): Promise<readonly { readonly parameters: readonly number[]; readonly averages: readonly number[] }[]> {
  const parts = [optimalTransport(), independent(), conditionalFlowMatching(), uniform()] as const;
  const trainer = new Trainer(backend, ...parts, mlp({ width: 4, depth: 2 }));
  const options = { optimizer: sgd({ learningRate: 0.5 }), steps, batchSize, seed, ema: decay, reportEvery: 1 };
  await using training = await trainer.begin(normals, options);
  const elements = (arrays: Readonly<Record<string, { readonly data: ArrayLike<number> }>> = {}): number[] =>
    Object.keys(arrays)
      .toSorted()
      .flatMap((name) => Array.from(arrays[name].data));
  const read = async () => {
    const { parameters, ema } = await training.state();
    return { parameters: elements(parameters), averages: elements(ema) };
  };
  const seen = [await read()];
  for await (const report of training) {
    void report;
    seen.push(await read());
  }
  return seen;
}
