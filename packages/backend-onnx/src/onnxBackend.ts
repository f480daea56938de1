import { availableParallelism } from 'node:os';
import {
  checkAliases,
  checkElements,
  checkHeld,
  checkInteger,
  DisposedError,
  dtypesOf,
  largestThreadCount,
  SharedCompilations,
  type Backend,
  type BackendArray,
  type CompileOptions,
  type Executable,
  type Graph,
  type HostArray,
  type Manifest,
} from '@flow-matching/tensor';
import type { InferenceSession } from 'onnxruntime-common';
import { CompiledGraph } from './compiledGraph.ts';
import { deviceName } from './deviceName.ts';
import { manifest } from './lowering/index.ts';
import { OnnxArray } from './onnxArray.ts';
import { OnnxExecutable } from './onnxExecutable.ts';
import { MemoryPool } from './memoryPool.ts';

export interface OnnxOptions {
  /** Number of threads per operator. The last bits of results depend on it. Default: the number of processors available to this process. */
  readonly threads?: number;
  /** ONNX Runtime's level of graph optimization. Default 'all'. */
  readonly graphOptimization?: 'disabled' | 'basic' | 'extended' | 'all';
  /**
   * Whether `bind` compiles a separate session in which the bound arrays are constants, packed for the kernels in advance.
   * Measured on a 5×512 network: 25 to 35 % faster up to 64 rows and 5 to 15 % at 256, at a cost of 70 to 90 ms per bind; the
   * last bits of results differ. Default false.
   */
  readonly prepack?: boolean;
  /**
   * Whether idle threads spin instead of sleeping. It saves microseconds between small kernels on dedicated processors, but
   * slows down other processes: on two shared virtual processors it made sampling 256 points a quarter to a half slower.
   * Default false.
   */
  readonly spinning?: boolean;
  /** Further session options of ONNX Runtime, which override those above. */
  readonly session?: InferenceSession.SessionOptions;
}

/** The dtypes of arrays it supports. */
const held = dtypesOf(manifest);

/** Runs graphs as ONNX Runtime sessions on this machine. */
export class OnnxBackend implements Backend {
  readonly name = 'onnx';
  readonly device: string;
  readonly manifest: Manifest = manifest;
  readonly #prepack: boolean;
  readonly #sessionOptions: InferenceSession.SessionOptions;
  readonly #pool = new MemoryPool();
  readonly #compilations = new SharedCompilations<CompiledGraph>((compiled) => compiled.dispose());
  #disposed = false;

  constructor({
    threads = availableParallelism(),
    graphOptimization = 'all',
    prepack = false,
    spinning = false,
    session = {},
  }: OnnxOptions = {}) {
    checkInteger(`${threads} threads cannot run anything.`, threads, { largest: largestThreadCount });
    this.#prepack = prepack;
    this.#sessionOptions = {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      graphOptimizationLevel: graphOptimization,
      // Only fatal messages: warnings come from the optimizer, and errors are thrown.
      logSeverityLevel: 4,
      ...session,
      extra: { session: { intra_op: { allow_spinning: spinning ? '1' : '0' } }, ...session.extra },
    };
    this.device = deviceName(this.#sessionOptions);
  }

  array(source: HostArray): BackendArray {
    this.#checkAlive();
    checkElements(source);
    checkHeld(source, this.name, held);
    const { data, shape, dtype } = source;
    const memory = this.#pool.take({ shape, dtype });
    memory.data.set(data);
    return new OnnxArray(this.#pool, memory);
  }

  async compile(graph: Graph, options: CompileOptions = {}): Promise<Executable> {
    this.#checkAlive();
    checkAliases(graph, options);
    const hold = await this.#compilations.acquire(graph, options, () =>
      CompiledGraph.create(graph, options.aliases, this.#sessionOptions),
    );
    const outputs = graph.outputs.map((port) => port.tensor);
    this.#pool.reserve(outputs);
    return new OnnxExecutable({
      graph,
      aliases: options.aliases,
      hold,
      pool: this.#pool,
      prepack: this.#prepack,
      release: () => this.#pool.unreserve(outputs),
    });
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#pool.close();
    await this.#compilations.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  #checkAlive(): void {
    if (this.#disposed)
      throw new DisposedError('The onnx backend was disposed.', {
        expected: 'a backend that is not disposed',
        remedy: 'Create another one.',
      });
  }
}

/** The backend on ONNX Runtime, which is loaded when the first graph is compiled. */
export const onnx = (options?: OnnxOptions): OnnxBackend => new OnnxBackend(options);
