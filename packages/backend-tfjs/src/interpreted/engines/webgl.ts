import { gpuEngine } from './gpuEngine.ts';

/** Kernels as fragment shaders. Its integers are floats, exact up to 2²⁴. */
export const webgl = gpuEngine({
  name: 'webgl',
  unfit: {
    Cast: { dtypes: ['u32'], reason: 'the kernels know no unsigned numbers' },
  },
  absent: () =>
    'document' in globalThis || 'OffscreenCanvas' in globalThis ? undefined : 'there is no WebGL: it takes a browser',
  load: () => import('@tensorflow/tfjs-backend-webgl'),
});
