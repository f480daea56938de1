import type { Backend } from '@flow-matching/tensor';
import { adam, checkerboard, createFlow, mlp, optimalTransport } from '@flow-matching/plugins';

/** The losses of twenty steps of a small training, the same ones on every backend. */
export async function trainingLosses(backend: Backend): Promise<number[]> {
  const flow = await createFlow({ backend, path: optimalTransport(), model: mlp({ width: 32, depth: 3 }) });
  const optimizer = adam({ learningRate: 1e-2 });
  const losses: number[] = [];
  const options = { optimizer, steps: 20, batchSize: 256, seed: 1, reportEvery: 1 };
  for await (const { loss } of flow.train(checkerboard(), options)) losses.push(loss);
  await flow.dispose();
  return losses;
}
