export type { AdapterProfile } from './compiler/adapterProfile.ts';
export { compileProgram } from './compiler/compileProgram.ts';
export type { Kernel, Program as WebgpuProgram } from './compiler/program.ts';
export { webgpuManifest } from './lowering/index.ts';
export type { WebgpuExecutable } from './runtime/webgpuExecutable.ts';
export { webgpu, type WebgpuOptions } from './webgpu.ts';
export { WebgpuBackend } from './webgpuBackend.ts';
