import { HostRandomStream, streams, type HostArray } from '@flow-matching/tensor';
import { checkerboard } from '@flow-matching/plugins';
import type { NextBatch, ProductInputs } from './contestant.ts';
import { layerSizes, type WebgpuWork } from './webgpuWorks.ts';

/** The same matrices for every subject. */
export function productInputs({ width }: WebgpuWork): ProductInputs {
  const shape = [width, width];
  const [x, w] = [0, 1].map((index) => new HostRandomStream(0, streams.sampling, index).normal(shape));
  return { x, w: { ...w, data: Float32Array.from(w.data, (value) => value / Math.sqrt(width)) } };
}

/** Batches of the checkerboard, as our trainer draws them on the host. */
export function batches({ size }: WebgpuWork): NextBatch {
  const data = checkerboard();
  let index = 0;
  return async () => (await data.batch({ index: index++, size, seed: 0 })).x1.data as Float32Array;
}

/** Weights [in, out] uniform in ±1/√in, and biases of zero. */
export function initialParameters({ width }: WebgpuWork): HostArray[] {
  const sizes = layerSizes(width);
  return sizes.slice(1).flatMap((to, i) => {
    const unit = new HostRandomStream(0, streams.sampling, i).uniform([sizes[i], to]);
    const weight = Float32Array.from(unit.data, (value) => (2 * value - 1) / Math.sqrt(sizes[i]));
    return [
      { ...unit, data: weight },
      { ...unit, data: new Float32Array(to), shape: [to] },
    ];
  });
}

export const sigmaMin = 1e-5;

/** What Adam is told; all subjects have ε beside the root. */
export const adamSettings = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;
