import type { Backend } from '@flow-matching/tensor';
import { UsageError } from './arguments.ts';

export interface BackendSettings {
  readonly threads: number;
}

/** Our backends by name: how each is made with a number of threads. */
const makers: Readonly<Record<string, (settings: BackendSettings) => Promise<Backend>>> = {
  onnx: async ({ threads }) => (await import('@flow-matching/backend-onnx')).onnx({ threads }),
  // TensorFlow's threads are chosen once for a process, by its environment.
  tfjs: async ({ threads }) => {
    process.env['TF_NUM_INTRAOP_THREADS'] = String(threads);
    process.env['TF_NUM_INTEROP_THREADS'] = String(threads);
    return (await import('@flow-matching/backend-tfjs')).tfjs({ engine: 'node' });
  },
  'tfjs-wasm': async ({ threads }) => (await import('@flow-matching/backend-tfjs')).tfjs({ engine: 'wasm', threads }),
};

/** @throws UsageError for a name that is not known. */
export async function makeBackend(name: string, settings: BackendSettings): Promise<Backend> {
  const make = makers[name];
  if (!make) throw new UsageError(`There is no backend '${name}' here: ${Object.keys(makers).join(', ')}.`);
  return make(settings);
}
