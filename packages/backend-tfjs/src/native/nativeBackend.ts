import {
  BackendError,
  checkAliases,
  checkElements,
  checkHeld,
  dtypesOf,
  SharedCompilations,
  type Backend,
  type BackendArray,
  type CompileOptions,
  type Executable,
  type Graph,
  type HostArray,
} from '@flow-matching/tensor';
import { isInstalled, loadBinding, type Binding, type BindingPackage } from './binding.ts';
import { nativeManifest } from './lowering/index.ts';
import { NativeArray, upload } from './nativeArray.ts';
import { NativeExecutable } from './nativeExecutable.ts';
import { NativeLife } from './nativeLife.ts';
import { NativeModel, type RunCounts } from './nativeModel.ts';

/** Whether TensorFlow for CPUs is installed. */
export const isTensorflowInstalled = (): boolean => isInstalled('@tensorflow/tfjs-node');

/** The dtypes of arrays it supports. */
const held = dtypesOf(nativeManifest);

/** Runs graphs as TensorFlow sessions with the native addon of tfjs-node; a run is one native call. */
export class NativeBackend implements Backend {
  readonly name = 'tfjs';
  readonly device: string;
  readonly manifest = nativeManifest;
  readonly #binding: Binding;
  readonly #compilations = new SharedCompilations<NativeModel>((model) => model.dispose());
  readonly #counts: RunCounts = { runs: 0 };
  readonly #life = new NativeLife();

  /** @throws BackendError if TensorFlow is not installed or does not load, or finds no GPU although one is requested. */
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

  /** Number of native calls so far that ran a graph: one for each run of an executable. */
  get nativeRuns(): number {
    return this.#counts.runs;
  }

  array(source: HostArray): BackendArray {
    this.#life.check();
    checkElements(source);
    checkHeld(source, this.name, held);
    return new NativeArray(this.#binding, upload(this.#binding, source), source, this.#life);
  }

  async compile(graph: Graph, { aliases = [] }: CompileOptions = {}): Promise<Executable> {
    this.#life.check();
    checkAliases(graph, { aliases });
    const hold = await this.#compilations.acquire(
      graph,
      { aliases },
      () => new NativeModel(this.#binding, graph, this.#counts),
    );
    return new NativeExecutable({ graph, aliases, hold, binding: this.#binding, life: this.#life, bound: {} });
  }

  async dispose(): Promise<void> {
    this.#life.end();
    await this.#compilations.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
