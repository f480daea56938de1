import { Trainer, type Dataset, type VectorFieldModel } from '@flow-matching/core';
import { HostRandomStream, streams, type Backend, type HostArray, type Shape } from '@flow-matching/tensor';
import { adam, conditionalFlowMatching, independent, mlp, optimalTransport, uniform } from '@flow-matching/plugins';
import { convolutionAttention } from './convolutionAttention.ts';

/** A training of ten steps that is the same everywhere, except for roundings. */
export interface TrainingProgram {
  readonly name: string;
  readonly model: VectorFieldModel;
  /** Of one data point. */
  readonly shape: Shape;
  readonly batchSize: number;
}

export const trainingPrograms: readonly TrainingProgram[] = [
  { name: 'mlp', model: mlp({ width: 20, depth: 3 }), shape: [2], batchSize: 32 },
  { name: 'convolution-attention', model: convolutionAttention, shape: [2, 4, 4], batchSize: 4 },
];

const steps = 10;
const seed = 11;

/** The loss of each step, and the final parameters under `parameters.` and their names. */
export async function runTraining(
  { model, shape, batchSize }: TrainingProgram,
  backend: Backend,
): Promise<Record<string, HostArray>> {
  const parts = [optimalTransport(), independent(), conditionalFlowMatching(), uniform(), model] as const;
  const optimizer = adam({ learningRate: 0.01 });
  const trainer = new Trainer(backend, ...parts);
  await using training = await trainer.begin(normalData(shape), { optimizer, steps, batchSize, seed, reportEvery: 1 });
  const losses: number[] = [];
  for await (const { loss } of training) losses.push(loss);
  const { parameters } = await training.state();
  const named = Object.entries(parameters).map(([name, array]) => [`parameters.${name}`, array] as const);
  const loss: HostArray = { data: Float64Array.from(losses), shape: [steps], dtype: 'f32' };
  return { losses: loss, ...Object.fromEntries(named) };
}

/** Normal points with mean 1 and standard deviation ½, newly drawn for each batch. */
const normalData = (shape: Shape): Dataset => ({
  name: 'normals',
  shape,
  batch({ index, size, seed: key }) {
    const x1 = new HostRandomStream(key, streams.data, index).normal([size, ...shape], 0.5);
    return { x1: { ...x1, data: x1.data.map((value) => value + 1) } };
  },
});
