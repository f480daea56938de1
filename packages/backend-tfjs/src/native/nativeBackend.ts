import {
  checkAliases,
  DisposedError,
  formatShape,
  ShapeError,
  sizeOf,
  type Backend,
  type BackendArray,
  type CompileOptions,
  type Executable,
  type Graph,
  type HostArray,
} from '@flow-matching/core';
import { loadBinding, type Binding, type BindingPackage } from './binding.ts';
import { nativeManifest } from './lowering/index.ts';
import { NativeArray, upload } from './nativeArray.ts';
import { NativeExecutable } from './nativeExecutable.ts';
import { NativeModel } from './nativeModel.ts';

interface Compilation {
  readonly model: NativeModel;
  /** Executables that share it. */
  holders: number;
}

/** Graphs as sessions of TensorFlow, by the native addon of tfjs-node: a run is one native call. */
export class NativeBackend implements Backend {
  readonly name = 'tfjs';
  readonly device: string;
  readonly manifest = nativeManifest;
  readonly #binding: Binding;
  readonly #compilations = new Map<string, Compilation>();
  #disposed = false;

  /** @throws BackendError where TensorFlow is not installed or does not load. */
  constructor(from: BindingPackage = '@tensorflow/tfjs-node') {
    this.#binding = loadBinding(from);
    this.device = `${this.#binding.isUsingGpuDevice() ? 'gpu' : 'cpu'}, TensorFlow ${this.#binding.TF_Version}`;
  }

  array(source: HostArray): BackendArray {
    this.#checkAlive();
    if (source.data.length !== sizeOf(source.shape)) {
      throw new ShapeError(`${source.data.length} values do not fill shape ${formatShape(source.shape)}.`, {
        actual: source.data.length,
        expected: `${sizeOf(source.shape)} values`,
      });
    }
    return new NativeArray(this.#binding, upload(this.#binding, source), source);
  }

  async compile(graph: Graph, { aliases = [] }: CompileOptions = {}): Promise<Executable> {
    this.#checkAlive();
    checkAliases(graph, { aliases });
    const compilation = this.#compilations.get(graph.hash) ?? {
      model: new NativeModel(this.#binding, graph),
      holders: 0,
    };
    this.#compilations.set(graph.hash, compilation);
    compilation.holders++;
    return new NativeExecutable({
      graph,
      aliases,
      model: compilation.model,
      binding: this.#binding,
      bound: {},
      checkBackend: () => this.#checkAlive(),
      release: () => this.#release(graph.hash, compilation),
    });
  }

  #release(hash: string, compilation: Compilation): void {
    if (--compilation.holders > 0 || this.#disposed) return;
    this.#compilations.delete(hash);
    compilation.model.dispose();
  }

  #checkAlive(): void {
    if (this.#disposed) throw new DisposedError('The tfjs backend was disposed.', { expected: 'a live backend' });
  }

  /** Arrays stay readable until they are disposed themselves. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const { model } of this.#compilations.values()) model.dispose();
    this.#compilations.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
