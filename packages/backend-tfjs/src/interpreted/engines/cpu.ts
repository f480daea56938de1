import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { EngineKind } from './engine.ts';
import { importTfjs, makeRegistered } from './importTfjs.ts';

/** Kernels in JavaScript. */
export const cpu: EngineKind = {
  name: 'cpu',
  onHost: true,
  decomposed: {},
  unfit: {
    Cast: { dtypes: ['u32'], reason: 'the kernels know no unsigned numbers' },
    Erf: { dtypes: ['f32'], reason: 'the kernel is off by 1e-7 however small the result is' },
    Mul: { dtypes: ['i32', 'u32'], reason: 'the kernel rounds products beyond 2⁵³' },
    Pow: { dtypes: ['f32'], reason: 'the kernel has NaN for 1 to the power of NaN' },
  },
  absent: () => undefined,
  async start() {
    await importTfjs('@tensorflow/tfjs-backend-cpu', () => import('@tensorflow/tfjs-backend-cpu'));
    const backend = await makeRegistered('cpu');
    // It would print an advertisement for tfjs-node; `doctor` lists the engines instead.
    Object.assign(backend, { firstUse: false });
    return {
      kind: cpu,
      device: 'cpu, JavaScript',
      backend,
      elements: ({ dataId }: TensorInfo) => backend.readSync(dataId) as unknown as ArrayLike<number>,
    };
  },
};
