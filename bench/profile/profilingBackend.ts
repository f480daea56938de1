import { onnx, type OnnxBackend } from '@flow-matching/backend-onnx';
import type { Backend, BackendArray, CompileOptions, Executable, Graph, HostArray } from '@flow-matching/tensor';

/** The ONNX backend with a trace file for every session. Only the time of operators is to be trusted: tracing costs some itself. */
export class ProfilingBackend implements Backend {
  readonly name = 'onnx';
  readonly device: string;
  readonly manifest: Backend['manifest'];
  readonly #threads: number;
  readonly #prefix: string;
  readonly #arrays: OnnxBackend;
  readonly #backends: OnnxBackend[];

  /** @param prefix path that the trace files' names begin with. */
  constructor(threads: number, prefix: string) {
    this.#threads = threads;
    this.#prefix = prefix;
    this.#arrays = onnx({ threads });
    this.#backends = [this.#arrays];
    this.device = this.#arrays.device;
    this.manifest = this.#arrays.manifest;
  }

  array(array: HostArray): BackendArray {
    return this.#arrays.array(array);
  }

  /** A backend of its own for each graph: a session's options, and so its file's name, are fixed when the backend is made. */
  async compile(graph: Graph, options?: CompileOptions): Promise<Executable> {
    const profileFilePrefix = `${this.#prefix}-${this.#backends.length}`;
    const backend = onnx({ threads: this.#threads, session: { enableProfiling: true, profileFilePrefix } });
    this.#backends.push(backend);
    return backend.compile(graph, options);
  }

  /** The sessions end, and with them the files. */
  async dispose(): Promise<void> {
    for (const backend of this.#backends) await backend.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}
