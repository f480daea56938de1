import { BackendError } from '@flow-matching/core';
import { openDevice } from './runtime/openDevice.ts';
import { WebgpuBackend } from './webgpuBackend.ts';

export interface WebgpuOptions {
  /** Default: `navigator.gpu`. */
  readonly gpu?: GPU;
  /** Default: the one that `gpu` gives for `powerPreference`. */
  readonly adapter?: GPUAdapter;
  readonly powerPreference?: GPUPowerPreference;
  /** Kernels that suit GPUs, which share blocks in workgroup memory, or processors, which have none. Default: by the adapter. */
  readonly kernels?: 'gpu' | 'processor';
  /** Times every kernel of a run (see `WebgpuExecutable.kernelTimes`), which keeps kernels from overlapping. Default false. */
  readonly debug?: boolean;
}

/**
 * The backend on WebGPU.
 *
 * @throws BackendError where there is no WebGPU, no adapter, or no device.
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
