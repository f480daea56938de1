import { tfjs } from '@flow-matching/backend-tfjs';
import { webgpu } from '@flow-matching/backend-webgpu';
import { createReferenceBackend, type Backend } from '@flow-matching/tensor';

/** What a page can run on, by the name that its address gives: `?backend=reference`. */
export const backends: Readonly<Record<string, () => Backend | Promise<Backend>>> = {
  reference: createReferenceBackend,
  webgpu: () => webgpu(),
  'tfjs-webgl': () => tfjs({ engine: 'webgl' }),
  'tfjs-webgpu': () => tfjs({ engine: 'webgpu' }),
  'tfjs-wasm': () => tfjs({ engine: 'wasm', wasmPath: '/wasm/' }),
};
