import { BackendError, checkInteger } from '@flow-matching/tensor';
import type * as Tfjs from '@tensorflow/tfjs-backend-wasm';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Worker } from 'node:worker_threads';

type WasmModule = Tfjs.BackendWasm['wasm'] & {
  cwrap(name: string, result: null | 'number', parameters: readonly string[]): (...values: number[]) => number;
  readonly PThread: { readonly unusedWorkers: Worker[]; readonly runningWorkers: readonly Worker[] };
};

type Imports = { readonly env: { emscripten_num_logical_cores: () => number } };

/** The part that is used: its types are only part of the browser types. */
interface WasmApi {
  compile(bytes: Uint8Array): Promise<object>;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

interface ModuleOptions {
  locateFile(name: string): string;
  readonly mainScriptUrlOrBlob: string;
  instantiateWasm(imports: Imports, receive: (instance: object, module: object) => void): object;
}

const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WasmApi };
const require = createRequire(import.meta.url);
const binary = 'tfjs-backend-wasm-threaded-simd';
/** Number of workers that the build starts with; it would wait forever for more. */
const most = 8;

/**
 * Starts the threaded build, which TensorFlow.js itself only starts in browsers. The files are those of the package, the
 * worker's script is written to a file because Node's workers do not support blobs, and the number of threads is set here
 * because the build would use at most half of the processors.
 */
export async function startInNode(
  tfjs: typeof Tfjs,
  threads = Math.min(availableParallelism(), most),
): Promise<{ backend: Tfjs.BackendWasm; threads: number }> {
  checkInteger(`The wasm engine does not run with ${threads} threads.`, threads, { largest: most });
  const folder = join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'wasm-out');
  const script = join(folder, `${binary}.js`);
  const { wasmWorkerContents } = require(join(folder, `${binary}.worker.js`)) as { wasmWorkerContents: string };
  const compiled = await WebAssembly.compile(readFileSync(join(folder, `${binary}.wasm`)));
  const directory = mkdtempSync(join(tmpdir(), 'flow-matching-'));
  const worker = join(directory, 'worker.cjs');
  // The package stores the script in a template, in which line ends inside strings are literal.
  writeFileSync(worker, wasmWorkerContents.replaceAll('\n', String.raw`\n`));
  const known = listeners();
  try {
    const module = await (require(script) as (options: ModuleOptions) => Promise<WasmModule>)({
      locateFile: (name) => (name.endsWith('.worker.js') ? worker : join(folder, name)),
      mainScriptUrlOrBlob: script,
      instantiateWasm(imports, receive) {
        imports.env.emscripten_num_logical_cores = () => 2 * threads;
        const instance = new WebAssembly.Instance(compiled, imports);
        receive(instance, compiled);
        return instance.exports;
      },
    });
    module.tfjs = bridge(module);
    tfjs.setThreadsCount(threads);
    const backend = new tfjs.BackendWasm(module);
    for (const idle of module.PThread.unusedWorkers.splice(0)) await idle.terminate();
    // Threads that wait for work must not keep the process alive.
    for (const busy of module.PThread.runningWorkers) busy.unref();
    return { backend, threads: tfjs.getThreadsCount() };
  } catch (cause) {
    throw new BackendError(`TensorFlow.js's wasm engine does not start: ${(cause as Error).message}`, {
      actual: `${threads} threads`,
      expected: 'an engine that starts',
      cause,
    });
  } finally {
    // The build would end the process on any unhandled rejection.
    for (const { event, listener } of listeners())
      if (!known.some((other) => other.listener === listener)) process.removeListener(event, listener);
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The functions that TensorFlow.js's own start adds to the module. */
const bridge = (module: WasmModule): Tfjs.BackendWasm['wasm']['tfjs'] => ({
  init: module.cwrap('init', null, []),
  initWithThreadsCount: module.cwrap('init_with_threads_count', null, ['number']),
  getThreadsCount: module.cwrap('get_threads_count', 'number', []),
  registerTensor: module.cwrap('register_tensor', null, ['number', 'number', 'number']),
  disposeData: module.cwrap('dispose_data', null, ['number']),
  dispose: module.cwrap('dispose', null, []),
});

const listeners = () =>
  ['uncaughtException', 'unhandledRejection'].flatMap((event) =>
    process.listeners(event as NodeJS.Signals).map((listener) => ({ event, listener })),
  );
