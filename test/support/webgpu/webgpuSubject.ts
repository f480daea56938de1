import { webgpu } from '@flow-matching/backend-webgpu/node';
import type { Subject } from '../conformanceOfSubject.ts';

/** The WebGPU backend on Dawn. */
export const webgpuSubject: Subject = {
  name: 'webgpu',
  create: () => webgpu(),
  undeclared: [],
};
