import { gpuEngine } from './gpuEngine.ts';

/** Kernels as fragment shaders. */
export const webgl = gpuEngine({
  name: 'webgl',
  decomposed: {
    Div: 'the kernel gives 1 for 0 ÷ 0 and ∞ ÷ ∞',
    ReduceMax: 'the kernel gives −1e20 where all elements are smaller',
    ReduceMin: 'the kernel gives 1e20 where all elements are larger',
  },
  unfit: {
    Cast: { dtypes: ['u32'], reason: 'the kernels know no unsigned numbers' },
    Mul: { dtypes: ['i32', 'u32'], reason: 'the kernel goes through floats' },
    ReduceMax: { dtypes: ['i32'], reason: 'the kernel goes through floats' },
    ReduceMin: { dtypes: ['i32'], reason: 'the kernel goes through floats' },
    ReduceSum: { dtypes: ['i32', 'u32'], reason: 'the kernel goes through floats' },
  },
  absent: () =>
    'document' in globalThis || 'OffscreenCanvas' in globalThis ? undefined : 'there is no WebGL: it takes a browser',
  load: () => import('@tensorflow/tfjs-backend-webgl'),
});
