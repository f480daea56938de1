export type { Kernel, Program } from './compiler/program.ts';
export { webgpu, type WebgpuOptions } from './webgpu.ts';
export { WebgpuBackend } from './webgpuBackend.ts';
