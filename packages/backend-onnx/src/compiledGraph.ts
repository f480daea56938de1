import { DisposedError, prepareGraph, type Graph, type HostArray, type PreparedGraph } from '@flow-matching/core';
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { fuse } from './fusion/index.ts';
import { manifest } from './lowering/index.ts';
import { encodeGraph, type EncodedGraph, type EncodedPort } from './model/encodeGraph.ts';
import { Memory } from './memory.ts';
import { resultBarrier, type ResultBarrier } from './resultBarrier.ts';
import { loadRuntime, type Runtime } from './runtime.ts';
import { runtimeError } from './runtimeError.ts';

type Memories = Readonly<Record<string, Memory>>;

interface CompiledParts {
  readonly runtime: Runtime;
  readonly session: InferenceSession;
  readonly barrier: ResultBarrier | undefined;
  readonly randomness: PreparedGraph['randomness'];
  readonly encoded: EncodedGraph;
}

/** One session of ONNX Runtime, shared by every executable of the same graph. */
export class CompiledGraph {
  readonly inputs: readonly EncodedPort[];
  readonly outputs: readonly EncodedPort[];
  /** Inputs whose values the host must know before a run, because it draws random numbers from them. */
  readonly seeds: readonly string[];
  readonly #parts: CompiledParts;
  #queue: Promise<unknown> = Promise.resolve();
  #released: Promise<void> | undefined;

  /** @throws UnsupportedError for an operator without a lowering; BackendError where ONNX Runtime refuses the model. */
  static async create(source: Graph, options: InferenceSession.SessionOptions): Promise<CompiledGraph> {
    const { graph, randomness } = prepareGraph(source, manifest, 'onnx');
    const runtime = await loadRuntime();
    const barrier = await resultBarrier(runtime);
    const encoded = encodeGraph(fuse(graph), { barrier: barrier !== undefined });
    try {
      const session = await runtime.InferenceSession.create(encoded.bytes, options);
      return new CompiledGraph({ runtime, session, barrier, randomness, encoded });
    } catch (cause) {
      throw runtimeError(cause, 'compile', encoded.nodes);
    }
  }

  private constructor(parts: CompiledParts) {
    this.#parts = parts;
    this.inputs = parts.encoded.inputs;
    this.outputs = parts.encoded.outputs;
    this.seeds = parts.randomness?.dependsOn ?? [];
  }

  /** Queues a run that reads `feeds` (and `seeds` of the host) and writes `results`, both by the graph's names. */
  run(feeds: Memories, seeds: Readonly<Record<string, HostArray>>, results: Memories): Promise<void> {
    if (this.#released) throw new DisposedError('The backend was disposed.', { expected: 'a live backend' });
    const run = this.#queue.then(() => this.#run(feeds, seeds, results));
    // The next run does not care how this one ends; whoever asked for it does.
    this.#queue = run.catch(() => {});
    return run;
  }

  async #run(feeds: Memories, seeds: Readonly<Record<string, HostArray>>, results: Memories): Promise<void> {
    const { runtime, session, barrier, randomness, encoded } = this.#parts;
    const { Tensor } = runtime;
    const drawn = randomness?.draw(seeds) ?? {};
    const given: Record<string, Tensor> = {};
    for (const { name, value } of this.inputs) {
      const draw = drawn[name];
      given[value] = (draw ? new Memory(draw.data, draw) : feeds[name]).tensor(Tensor);
    }
    const written: Record<string, Tensor | null> = {};
    for (const { name, value } of this.outputs) written[value] = results[name].tensor(Tensor);
    if (encoded.barrier !== undefined) written[encoded.barrier] = null;
    try {
      await session.run(given, written);
    } catch (cause) {
      if (barrier?.isSuccess(cause)) return;
      throw runtimeError(cause, 'run', encoded.nodes);
    }
  }

  /** Frees the session once the queued runs are done. */
  dispose(): Promise<void> {
    return (this.#released ??= this.#queue.then(() => this.#parts.session.release()));
  }
}
