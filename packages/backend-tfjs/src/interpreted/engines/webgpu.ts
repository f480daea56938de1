import { gpuEngine } from './gpuEngine.ts';

/** Kernels as compute shaders. */
export const webgpu = gpuEngine({
  name: 'webgpu',
  decomposed: { Exp: 'the kernel may lose NaN', Sigmoid: 'the kernel may lose NaN' },
  unfit: {
    Cast: { dtypes: ['u32'], reason: 'the kernels know no unsigned numbers' },
    Mul: { dtypes: ['i32', 'u32'], reason: 'the kernel does not wrap around' },
    ReduceMax: { dtypes: ['i32'], reason: 'the kernel goes through floats' },
    ReduceMin: { dtypes: ['i32'], reason: 'the kernel goes through floats' },
    ReduceSum: { dtypes: ['i32', 'u32'], reason: 'the kernel goes through floats' },
    ScatterAdd: { dtypes: ['i32', 'u32'], reason: 'the kernel adds the bits of floats' },
    Transpose: { dtypes: ['i32', 'u32', 'bool'], reason: 'the shader compiles for floats only' },
  },
  absent: () =>
    'gpu' in ((globalThis as { navigator?: object }).navigator ?? {})
      ? undefined
      : 'there is no navigator.gpu: it takes a browser with WebGPU, or one that the npm package webgpu provides',
  load: () => import('@tensorflow/tfjs-backend-webgpu'),
});
