import { BackendError } from '@flow-matching/tensor';
import { openDevice } from './runtime/openDevice.ts';
import { WebgpuBackend } from './webgpuBackend.ts';

// The WebGPU interfaces that the package's declarations use. They merge with those of lib.dom or @webgpu/types; if a consumer
// has neither, they are opaque. A reference to @webgpu/types would declare every name twice together with the lib.dom of
// TypeScript 7.
declare global {
  interface GPU {}
  interface GPUAdapter {}
  interface GPUBindGroup {}
  interface GPUBindGroupLayout {}
  interface GPUBuffer {}
  interface GPUCommandBuffer {}
  interface GPUCommandEncoder {}
  interface GPUComputePassTimestampWrites {}
  interface GPUComputePipeline {}
  interface GPUDevice {}
  interface GPUPipelineLayout {}
}

export interface WebgpuOptions {
  /** Default: `navigator.gpu`. */
  readonly gpu?: GPU;
  /** Default: the one that `gpu` returns for `powerPreference`. */
  readonly adapter?: GPUAdapter;
  readonly powerPreference?: 'low-power' | 'high-performance';
  /** Kernels for GPUs, which share blocks in workgroup memory, or for CPUs, without workgroup memory. Default: depends on the adapter. */
  readonly kernels?: 'gpu' | 'processor';
  /** Times every kernel of a run (see `WebgpuExecutable.kernelTimes`), which keeps kernels from overlapping. Default false. */
  readonly debug?: boolean;
}

/**
 * The backend on WebGPU.
 *
 * @throws BackendError if there is no WebGPU, no adapter, or no device.
 */
export async function webgpu(options: WebgpuOptions = {}): Promise<WebgpuBackend> {
  const gpu = options.gpu ?? (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (!gpu && !options.adapter) {
    throw new BackendError('There is no WebGPU here.', {
      actual: 'no navigator.gpu',
      expected: 'a browser with WebGPU on a secure page, or the option gpu',
      remedy: "In Node import '@flow-matching/backend-webgpu/node', which brings Dawn.",
    });
  }
  return new WebgpuBackend(await openDevice(gpu, options), options);
}
