import type { Backend, BackendArray, CompileOptions, Executable, Graph, HostArray } from '@flow-matching/tensor';

export interface RecordedGraph {
  readonly graph: Graph;
  readonly aliases: NonNullable<CompileOptions['aliases']>;
}

/** A backend whose executables are of a kind of their own. */
type Compiling<Compiled extends Executable> = Omit<Backend, 'compile'> & {
  compile(graph: Graph, options?: CompileOptions): Promise<Compiled>;
};

/** A backend that keeps what it was asked to compile, and what it made of it. */
export class GraphRecorder<Compiled extends Executable = Executable> implements Backend {
  readonly graphs: RecordedGraph[] = [];
  readonly executables: Compiled[] = [];
  readonly #backend: Compiling<Compiled>;

  constructor(backend: Compiling<Compiled>) {
    this.#backend = backend;
  }

  get name(): string {
    return this.#backend.name;
  }

  get device(): string {
    return this.#backend.device;
  }

  get manifest(): Backend['manifest'] {
    return this.#backend.manifest;
  }

  array(source: HostArray): BackendArray {
    return this.#backend.array(source);
  }

  async compile(graph: Graph, options: CompileOptions = {}): Promise<Compiled> {
    this.graphs.push({ graph, aliases: options.aliases ?? [] });
    const executable = await this.#backend.compile(graph, options);
    this.executables.push(executable);
    return executable;
  }

  dispose(): Promise<void> {
    return this.#backend.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
