import {
  BackendError,
  checkAliases,
  checkElements,
  checkHeld,
  DisposedError,
  dtypesOf,
  type Backend,
  type BackendArray,
  type CompileOptions,
  type Executable,
  type Graph,
  type HostArray,
} from '@flow-matching/core';
import { isInstalled, loadBinding, type Binding, type BindingPackage } from './binding.ts';
import { nativeManifest } from './lowering/index.ts';
import { NativeArray, upload } from './nativeArray.ts';
import { NativeExecutable } from './nativeExecutable.ts';
import { NativeModel, type RunCounts } from './nativeModel.ts';

/** Whether TensorFlow for CPUs is installed. */
export const isTensorflowInstalled = (): boolean => isInstalled('@tensorflow/tfjs-node');

interface Compilation {
  readonly model: NativeModel;
  /** Executables that share it. */
  holders: number;
}

/** The dtypes of arrays it supports. */
const held = dtypesOf(nativeManifest);

/** Graphs as sessions of TensorFlow, by the native addon of tfjs-node: a run is one native call. */
export class NativeBackend implements Backend {
  readonly name = 'tfjs';
  readonly device: string;
  readonly manifest = nativeManifest;
  readonly #binding: Binding;
  readonly #compilations = new Map<string, Compilation>();
  readonly #counts: RunCounts = { runs: 0 };
  #disposed = false;

  /** @throws BackendError where TensorFlow is not installed or does not load, or finds no GPU where one is asked for. */
  constructor(from: BindingPackage = '@tensorflow/tfjs-node') {
    this.#binding = loadBinding(from);
    if (from.endsWith('-gpu') && !this.#binding.isUsingGpuDevice()) {
      throw new BackendError('TensorFlow finds no GPU.', {
        actual: from,
        expected: 'an NVIDIA GPU with the CUDA 11 and cuDNN 8 that tfjs-node-gpu 4.22 was built for',
        remedy: "Choose the engine 'node'.",
      });
    }
    this.device = `${this.#binding.isUsingGpuDevice() ? 'gpu' : 'cpu'}, TensorFlow ${this.#binding.TF_Version}`;
  }

  /** Native calls so far that ran a graph: one for each run of an executable. */
  get nativeRuns(): number {
    return this.#counts.runs;
  }

  array(source: HostArray): BackendArray {
    this.#checkAlive();
    checkElements(source);
    checkHeld(source, this.name, held);
    return new NativeArray(this.#binding, upload(this.#binding, source), source);
  }

  async compile(graph: Graph, { aliases = [] }: CompileOptions = {}): Promise<Executable> {
    this.#checkAlive();
    checkAliases(graph, { aliases });
    const compilation = this.#compilations.get(graph.hash) ?? {
      model: new NativeModel(this.#binding, graph, this.#counts),
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
