import {
  DisposedError,
  extractGuard,
  prepareGraph,
  runtimeError,
  type CompileOptions,
  type Graph,
  type HostArray,
  type PreparedGraph,
} from '@flow-matching/tensor';
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { fuse } from './fusion/index.ts';
import { withoutSingleFusions } from './fusion/withoutSingleFusions.ts';
import { manifest } from './lowering/index.ts';
import { encodeGraph, type EncodedGraph, type EncodedPort } from './model/encodeGraph.ts';
import { Memory } from './memory.ts';
import { resultBarrier, type ResultBarrier } from './resultBarrier.ts';
import { loadRuntime, type Runtime } from './runtime.ts';

type Memories = Readonly<Record<string, Memory>>;

/** The output that tells whether a run's guarded outputs are valid, and their names. */
interface Guard {
  readonly output: string;
  readonly guarded: ReadonlySet<string>;
}

/** The data from which a session is created and run. */
interface Plan {
  readonly graph: Graph;
  readonly randomness: PreparedGraph['randomness'];
  readonly guard: Guard | undefined;
  readonly runtime: Runtime;
  readonly barrier: ResultBarrier | undefined;
  readonly options: InferenceSession.SessionOptions;
}

/** One session of ONNX Runtime, shared by every executable of the same graph. */
export class CompiledGraph {
  readonly outputs: readonly EncodedPort[];
  /** Inputs whose values the host must know before a run, because it draws random numbers from them. */
  readonly seeds: readonly string[];
  readonly guard: Guard | undefined;
  readonly #plan: Plan;
  readonly #encoded: EncodedGraph;
  readonly #session: InferenceSession;
  readonly #variants = new Set<CompiledGraph>();
  #queue: Promise<unknown> = Promise.resolve();
  #released: Promise<void> | undefined;
  /** Notifies the compilation of which this one is a variant. */
  #ended = (): void => undefined;

  /** @throws UnsupportedError for an operator without a lowering; BackendError if ONNX Runtime refuses the model. */
  static async create(
    source: Graph,
    aliases: CompileOptions['aliases'],
    options: InferenceSession.SessionOptions,
  ): Promise<CompiledGraph> {
    const { graph: unguarded, guard, guarded } = extractGuard(source, aliases ?? []);
    const { graph, randomness } = prepareGraph(unguarded, manifest, 'onnx');
    const runtime = await loadRuntime();
    return CompiledGraph.#load({
      graph: fuse(graph),
      randomness,
      guard: guard === undefined ? undefined : { output: guard, guarded },
      runtime,
      barrier: await resultBarrier(runtime),
      options: withoutSingleFusions(graph, options),
    });
  }

  static async #load(plan: Plan, constants: Readonly<Record<string, HostArray>> = {}): Promise<CompiledGraph> {
    const encoded = encodeGraph(plan.graph, { barrier: plan.barrier !== undefined, constants });
    try {
      return new CompiledGraph(plan, encoded, await plan.runtime.InferenceSession.create(encoded.bytes, plan.options));
    } catch (cause) {
      throw onnxError(cause, 'compile', encoded);
    }
  }

  private constructor(plan: Plan, encoded: EncodedGraph, session: InferenceSession) {
    this.#plan = plan;
    this.#encoded = encoded;
    this.#session = session;
    this.outputs = encoded.outputs;
    this.seeds = plan.randomness?.dependsOn ?? [];
    this.guard = plan.guard;
  }

  /**
   * The same graph in a separate session with some inputs as constants, which its runs then ignore. It is disposed with this
   * one at the latest.
   */
  async withConstants(constants: Readonly<Record<string, HostArray>>): Promise<CompiledGraph> {
    const variant = await CompiledGraph.#load(this.#plan, constants);
    this.#variants.add(variant);
    variant.#ended = () => void this.#variants.delete(variant);
    return variant;
  }

  /** Queues a run that reads `feeds` (and `seeds` on the host) and writes `results`, both by their names in the graph. */
  run(feeds: Memories, seeds: Readonly<Record<string, HostArray>>, results: Memories): Promise<void> {
    if (this.#released)
      throw new DisposedError('The backend was disposed.', { expected: 'a backend that is not disposed' });
    const run = this.#queue.then(() => this.#run(feeds, seeds, results));
    // The next run does not depend on the outcome of this one; only its caller does.
    this.#queue = run.catch(() => {});
    return run;
  }

  async #run(feeds: Memories, seeds: Readonly<Record<string, HostArray>>, results: Memories): Promise<void> {
    const {
      runtime: { Tensor },
      barrier,
      randomness,
    } = this.#plan;
    const encoded = this.#encoded;
    const drawn = randomness?.draw(seeds) ?? {};
    const given: Record<string, Tensor> = {};
    for (const { name, value } of encoded.inputs) {
      const draw = drawn[name];
      given[value] = (draw ? new Memory(draw.data, draw) : feeds[name]).tensor(Tensor);
    }
    const written: Record<string, Tensor | null> = {};
    for (const { name, value } of encoded.outputs) written[value] = results[name].tensor(Tensor);
    if (encoded.barrier !== undefined) written[encoded.barrier] = null;
    try {
      await this.#session.run(given, written);
    } catch (cause) {
      if (barrier?.isSuccess(cause)) return;
      throw onnxError(cause, 'run', encoded);
    }
  }

  /** Frees the session, and those with constants, after the queued runs. */
  dispose(): Promise<void> {
    return (this.#released ??= this.#release());
  }

  async #release(): Promise<void> {
    await Promise.all(Array.from(this.#variants, (variant) => variant.dispose()));
    await this.#queue;
    await this.#session.release();
    this.#ended();
  }
}

const onnxError = (cause: unknown, doing: 'compile' | 'run', { nodes }: EncodedGraph): Error =>
  runtimeError({ runtime: 'ONNX Runtime', cause, doing, nodes, label: /[A-Za-z0-9]+#\d+/g });
