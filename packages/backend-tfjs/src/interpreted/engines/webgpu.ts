import type { EngineKind } from './engine.ts';
import { importTfjs, makeRegistered } from './importTfjs.ts';
import { notOnHost } from './notOnHost.ts';

/** Kernels as compute shaders. */
export const webgpu: EngineKind = {
  name: 'webgpu',
  onHost: false,
  sumsByProducts: false,
  unfit: {
    Cast: { dtypes: ['u32'], reason: 'the kernels know no unsigned numbers' },
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
