import type { Backend, BackendArray, CompileOptions, Executable, Graph, HostArray } from '@flow-matching/core';

export interface RecordedGraph {
  readonly graph: Graph;
  readonly aliases: NonNullable<CompileOptions['aliases']>;
}

/** A backend that keeps what it was asked to compile. */
export class GraphRecorder implements Backend {
  readonly graphs: RecordedGraph[] = [];
  readonly #backend: Backend;

  constructor(backend: Backend) {
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

  async compile(graph: Graph, options: CompileOptions = {}): Promise<Executable> {
    this.graphs.push({ graph, aliases: options.aliases ?? [] });
    return this.#backend.compile(graph, options);
  }

  dispose(): Promise<void> {
    return this.#backend.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
