import { BackendError } from '@flow-matching/tensor';
import { webgpu as webgpuOf, type WebgpuOptions } from './webgpu.ts';
import type { WebgpuBackend } from './webgpuBackend.ts';

export interface NodeWebgpuOptions extends Omit<WebgpuOptions, 'gpu'> {
  /** Dawn options, such as `backend=vulkan`, `adapter=SwiftShader` or `enable-dawn-features=…`. */
  readonly dawn?: readonly string[];
}

interface Dawn {
  readonly create: (options: readonly string[]) => GPU;
  readonly globals: Readonly<Record<string, unknown>>;
}

/** Dawn ends the process if an instance is garbage-collected while its objects are alive, so instances are kept. */
const instances = new Map<string, GPU>();

/**
 * The backend on Dawn, the WebGPU implementation in the npm package `webgpu`.
 *
 * @throws BackendError if the package is not installed or has no adapter for this machine.
 */
export async function webgpu({ dawn = [], ...options }: NodeWebgpuOptions = {}): Promise<WebgpuBackend> {
  return webgpuOf({ ...options, gpu: await dawnInstance(dawn) });
}

/** @throws BackendError if Dawn is not installed or does not load. */
export async function dawnInstance(options: readonly string[] = []): Promise<GPU> {
  const key = options.join(' ');
  const known = instances.get(key);
  if (known) return known;
  const { create, globals } = await loadDawn();
  for (const [name, value] of Object.entries(globals)) (globalThis as Record<string, unknown>)[name] ??= value;
  const gpu = create(options);
  instances.set(key, gpu);
  return gpu;
}

async function loadDawn(): Promise<Dawn> {
  try {
    return (await import('webgpu')) as unknown as Dawn;
  } catch (cause) {
    const missing = (cause as { code?: string }).code === 'ERR_MODULE_NOT_FOUND';
    throw new BackendError(
      missing ? 'The npm package webgpu is not installed.' : `Dawn does not load: ${(cause as Error).message}`,
      { expected: 'WebGPU for Node', remedy: 'Run npm install webgpu.', cause },
    );
  }
}
