import { BackendError } from '@flow-matching/tensor';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { isNode } from '../../isNode.ts';
import type { EngineKind, EngineOptions } from './engine.ts';
import { importTfjs, makeRegistered } from './importTfjs.ts';

/** Kernels in WebAssembly with vector instructions. */
export const wasm: EngineKind = {
  name: 'wasm',
  onHost: true,
  // Above this rank, kernels that broadcast do not write their results.
  mostAxes: 6,
  decomposed: {
    Log1p: 'the kernel is log(1 + x)',
    ReduceSum: 'over leading axes the kernel transposes first, and is slower than a product with ones',
  },
  unfit: {
    Cast: { dtypes: ['u32'], reason: 'the kernels know no unsigned numbers' },
    Cos: { dtypes: ['f32'], reason: 'the kernel is off by 1e-7 however small the result is' },
    Sin: { dtypes: ['f32'], reason: 'the kernel is off by 1e-7 however small the result is' },
    Slice: { dtypes: ['i32', 'u32', 'bool'], reason: 'the kernel of steps reads floats' },
    Where: { dtypes: ['bool'], reason: 'the kernel copies four bytes an element' },
  },
  absent: () => ('WebAssembly' in globalThis ? undefined : 'there is no WebAssembly'),
  async start(options) {
    const { backend, threads } = await make(options);
    guardMemory(backend);
    return {
      kind: wasm,
      device: `wasm, ${threads} thread${threads === 1 ? '' : 's'}`,
      backend,
      elements: (value: TensorInfo) => backend.typedArrayFromHeap(value),
    };
  },
};

async function make({ threads, wasmPath }: EngineOptions): Promise<{ backend: BackendWasm; threads: number }> {
  const module = await importTfjs('@tensorflow/tfjs-backend-wasm', () => import('@tensorflow/tfjs-backend-wasm'));
  if (isNode()) {
    const { startInNode } = await import('./startWasmInNode.ts');
    return startInNode(module, threads);
  }
  if (wasmPath !== undefined) module.setWasmPaths(wasmPath);
  if (threads !== undefined) module.setThreadsCount(threads);
  const backend = (await makeRegistered('wasm')) as BackendWasm;
  return { backend, threads: module.getThreadsCount() };
}

/** A failed allocation returns address 0, to which kernels would write: throw instead. */
function guardMemory(backend: BackendWasm): void {
  const module = backend.wasm as unknown as Record<'_malloc' | '_free', (number: number) => number>;
  // Each function replaces itself on its first call.
  module['_free'](module['_malloc'](1));
  const allocate = module['_malloc'];
  const guarded = (bytes: number): number => {
    const address = allocate(bytes);
    if (address === 0 && bytes > 0) {
      throw new BackendError("The wasm engine's memory is full.", {
        actual: `${bytes} bytes more`,
        expected: 'at most 4 GiB of arrays in total',
        remedy: 'Dispose arrays that are no longer needed, or use smaller batches.',
      });
    }
    return address;
  };
  module['_malloc'] = guarded;
}
