import { webgpu } from '@flow-matching/backend-webgpu/node';
import type { Subject } from '../conformanceOfSubject.ts';

/** The WebGPU backend on Dawn. */
export const webgpuSubject: Subject = {
  name: 'webgpu',
  create: () => webgpu(),
  absentDTypes: ['f64'],
  // To f64.
  undeclared: ['Cast f32', 'Cast i32', 'Cast u32', 'Cast bool'],
};
