import type { EngineKind } from './engine.ts';
import { importTfjs, makeRegistered } from './importTfjs.ts';
import { notOnHost } from './notOnHost.ts';

/** Kernels as fragment shaders. Its integers are floats, exact up to 2²⁴. */
export const webgl: EngineKind = {
  name: 'webgl',
  onHost: false,
  decomposed: { Expm1: 'the kernel is exp(x) − 1', Log1p: 'the kernel is log(1 + x)' },
  unfit: {
    Cast: { dtypes: ['u32'], reason: 'the kernels know no unsigned numbers' },
  },
  absent: () =>
    'document' in globalThis || 'OffscreenCanvas' in globalThis ? undefined : 'there is no WebGL: it takes a browser',
  async start() {
    await importTfjs('@tensorflow/tfjs-backend-webgl', () => import('@tensorflow/tfjs-backend-webgl'));
    return { kind: webgl, device: 'webgl', backend: await makeRegistered('webgl'), elements: notOnHost };
  },
};
