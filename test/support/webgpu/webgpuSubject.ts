import { webgpu } from '@flow-matching/backend-webgpu/node';
import type { Subject } from '../conformanceOfSubject.ts';

/** The WebGPU backend on Dawn. */
export const webgpuSubject: Subject = {
  name: 'webgpu',
  create: () => webgpu(),
  // Adapters without shader-f16 have no f16 either.
  absentDTypes: ['f16', 'f64'],
  // To f64, and to f16 there.
  undeclared: ['Cast f32', 'Cast i32', 'Cast u32', 'Cast bool'],
};
