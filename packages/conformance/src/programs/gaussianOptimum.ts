import { Trainer, type Dataset, type TimeSampler, type VectorFieldModel } from '@flow-matching/core';
import {
  constant,
  HostRandomStream,
  hostArray,
  streams,
  type Backend,
  type HostArray,
  type Tensor,
} from '@flow-matching/tensor';
import { adam, conditionalFlowMatching, cosineSchedule, independent, optimalTransport } from '@flow-matching/plugins';

/** Data: independent normals with these means and standard deviations. */
const means = [1, -0.5];
const stds = [0.5, 1.5];
/** Smallest standard deviation of the path, and the single time at which the field is learned. */
const sigmaMin = 0.1;
const time = 0.5;

/** v = x·W + c, [2, 2] and [2]: enough, as the marginal field of normal data is affine in x. */
const affine: VectorFieldModel<
  Readonly<Record<'weight' | 'bias', HostArray>>,
  Readonly<Record<'weight' | 'bias', Tensor>>
> = {
  name: 'affine',
  init: () => ({ weight: hostArray(new Float32Array(4), [2, 2]), bias: hostArray(new Float32Array(2), [2]) }),
  apply: ({ weight, bias }, { x }) => x.matmul(weight).add(bias),
};

const oneTime: TimeSampler = { name: 'one-time', sample: (uniform) => ({ t: uniform.mul(0).add(constant(time)) }) };

const data: Dataset = {
  name: 'normal',
  shape: [2],
  batch({ index, size, seed }) {
    const x1 = new HostRandomStream(seed, streams.data, index).normal([size, 2]);
    return { x1: { ...x1, data: x1.data.map((value, i) => means[i % 2] + stds[i % 2] * value) } };
  },
};

/**
 * The optimum of the regression as W, row by row, then c: with x = σx₀ + t·x₁, σ = 1 − (1 − σmin)·t, and u = x₁ − (1 − σmin)·x₀
 * (Lipman et al. 2023, equations 20 to 23), each dimension has W = cov(u, x) / var(x) and c = mean(u) − W·mean(x).
 */
export function gaussianOptimum(): number[] {
  const shrinking = 1 - sigmaMin;
  const sigma = 1 - shrinking * time;
  const [first, second] = stds.map((std) => {
    const covariance = time * std ** 2 - shrinking * sigma;
    return covariance / (sigma ** 2 + time ** 2 * std ** 2);
  });
  return [first, 0, 0, second, means[0] * (1 - first * time), means[1] * (1 - second * time)];
}

/** W, row by row, then c, after training from zeros with Adam on new data. */
export async function trainGaussian(backend: Backend, seed: number): Promise<number[]> {
  const path = optimalTransport({ sigmaMin });
  const steps = 300;
  const optimizer = adam({ learningRate: 0.05, schedule: cosineSchedule() });
  const trainer = new Trainer(backend, path, independent(), conditionalFlowMatching(), oneTime, affine);
  await using training = await trainer.begin(data, { optimizer, steps, batchSize: 256, seed, reportEvery: steps });
  for await (const report of training) void report;
  const { parameters } = await training.state();
  return [...parameters['weight'].data, ...parameters['bias'].data].map(Number);
}
