import type { EngineKind } from './engine.ts';
import { importTfjs, makeRegistered } from './importTfjs.ts';
import { notOnHost } from './notOnHost.ts';

/** Kernels as compute shaders. */
export const webgpu: EngineKind = {
  name: 'webgpu',
  onHost: false,
  decomposed: { Expm1: 'the kernel is exp(x) − 1', Log1p: 'the kernel is log(1 + x)' },
  unfit: {
    Cast: { dtypes: ['u32'], reason: 'the kernels know no unsigned numbers' },
    Mul: { dtypes: ['i32', 'u32'], reason: 'the kernel does not wrap around' },
    ReduceMax: { dtypes: ['i32'], reason: 'the kernel goes through floats' },
    ReduceMin: { dtypes: ['i32'], reason: 'the kernel goes through floats' },
    ReduceSum: { dtypes: ['i32', 'u32'], reason: 'the kernel goes through floats' },
    ScatterAdd: { dtypes: ['i32', 'u32'], reason: 'the kernel adds the bits of floats' },
  },
  absent: () =>
    'gpu' in ((globalThis as { navigator?: object }).navigator ?? {})
      ? undefined
      : 'there is no navigator.gpu: it takes a browser with WebGPU, or one that the npm package webgpu provides',
  async start() {
    await importTfjs('@tensorflow/tfjs-backend-webgpu', () => import('@tensorflow/tfjs-backend-webgpu'));
    return { kind: webgpu, device: 'webgpu', backend: await makeRegistered('webgpu'), elements: notOnHost };
  },
};
