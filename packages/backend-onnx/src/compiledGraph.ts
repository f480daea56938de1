import { DisposedError, prepareGraph, type Graph, type HostArray, type PreparedGraph } from '@flow-matching/core';
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { fuse } from './fusion/index.ts';
import { manifest } from './lowering/index.ts';
import { encodeGraph, type EncodedGraph, type EncodedPort } from './model/encodeGraph.ts';
import { Memory } from './memory.ts';
import { loadRuntime, type Runtime } from './runtime.ts';
import { runtimeError } from './runtimeError.ts';

type Memories = Readonly<Record<string, Memory>>;

/** One session of ONNX Runtime, shared by every executable of the same graph. */
export class CompiledGraph {
  readonly inputs: readonly EncodedPort[];
  readonly outputs: readonly EncodedPort[];
  /** Inputs whose values the host must know before a run, because it draws random numbers from them. */
  readonly seeds: readonly string[];
  readonly #runtime: Runtime;
  readonly #session: InferenceSession;
  readonly #nodes: EncodedGraph['nodes'];
  readonly #randomness: PreparedGraph['randomness'];
  #queue: Promise<unknown> = Promise.resolve();
  #released: Promise<void> | undefined;

  /** @throws UnsupportedError for an operator without a lowering; BackendError where ONNX Runtime refuses the model. */
  static async create(source: Graph, options: InferenceSession.SessionOptions): Promise<CompiledGraph> {
    const { graph, randomness } = prepareGraph(source, manifest, 'onnx');
    const encoded = encodeGraph(fuse(graph));
    const runtime = await loadRuntime();
    try {
      return new CompiledGraph(runtime, await runtime.InferenceSession.create(encoded.bytes, options), encoded, randomness);
    } catch (cause) {
      throw runtimeError(cause, 'compile', encoded.nodes);
    }
  }

  private constructor(runtime: Runtime, session: InferenceSession, { inputs, outputs, nodes }: EncodedGraph, randomness: PreparedGraph['randomness']) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.seeds = randomness?.dependsOn ?? [];
    this.#runtime = runtime;
    this.#session = session;
    this.#nodes = nodes;
    this.#randomness = randomness;
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
    const { Tensor } = this.#runtime;
    const drawn = this.#randomness?.draw(seeds) ?? {};
    const given: Record<string, Tensor> = {};
    for (const { name, value } of this.inputs) {
      const draw = drawn[name];
      given[value] = (draw ? new Memory(draw.data, draw) : feeds[name]).tensor(Tensor);
    }
    const written = Object.fromEntries(this.outputs.map(({ name, value }) => [value, results[name].tensor(Tensor)]));
    try {
      await this.#session.run(given, written);
    } catch (cause) {
      throw runtimeError(cause, 'run', this.#nodes);
    }
  }

  /** Frees the session once the queued runs are done. */
  dispose(): Promise<void> {
    return (this.#released ??= this.#queue.then(() => this.#session.release()));
  }
}
