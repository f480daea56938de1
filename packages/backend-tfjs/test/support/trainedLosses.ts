import type { Backend } from '@flow-matching/tensor';
import { adam, checkerboard, createFlow, mlp, optimalTransport } from '@flow-matching/plugins';

/** The loss of each step of a small training on the checkerboard. The backend is disposed. */
export async function trainedLosses(backend: Backend, steps: number): Promise<number[]> {
  const losses: number[] = [];
  await using flow = await createFlow({
    backend,
    path: optimalTransport(),
    model: mlp({ width: 64, depth: 4 }),
  });
  const training = flow.train(checkerboard(), {
    optimizer: adam({ learningRate: 1e-3 }),
    steps,
    batchSize: 256,
    seed: 3,
    reportEvery: 1,
  });
  for await (const { loss } of training) losses.push(loss);
  return losses;
}
