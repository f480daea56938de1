import {
  extractGuard,
  prepareGraph,
  runtimeError,
  type CompileOptions,
  type Graph,
  type HandleProgram,
  type HostArray,
  type PreparedGraph,
} from '@flow-matching/tensor';
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { fuse } from './fusion/index.ts';
import { withoutSingleFusions } from './fusion/withoutSingleFusions.ts';
import { manifest } from './lowering/index.ts';
import { encodeGraph, type EncodedGraph } from './model/encodeGraph.ts';
import { BorrowedMemory, type Memory } from './memory.ts';
import type { MemoryPool } from './memoryPool.ts';
import { resultBarrier, type ResultBarrier } from './resultBarrier.ts';
import { loadRuntime, type Runtime } from './runtime.ts';

type Memories = Readonly<Record<string, Memory>>;

/** The output that tells whether a run's guarded outputs are valid, and the inputs that replace them if they are not. */
interface Guard {
  readonly output: string;
  /** Pairs of an input and the guarded output that it is aliased to. */
  readonly pairs: readonly (readonly [input: string, output: string])[];
}

/** The data from which a session is created and run. */
interface Plan {
  readonly graph: Graph;
  readonly randomness: PreparedGraph['randomness'];
  readonly guard: Guard | undefined;
  readonly runtime: Runtime;
  readonly barrier: ResultBarrier | undefined;
  readonly options: OnnxProgramOptions;
}

export interface OnnxProgramOptions {
  readonly session: InferenceSession.SessionOptions;
  /** Whether bound arrays become constants of a separate session. */
  readonly prepack: boolean;
  /** The memory that runs write their outputs to. */
  readonly pool: MemoryPool;
}

/** A graph as a session of ONNX Runtime. */
export class OnnxProgram implements HandleProgram<Memory> {
  readonly randomness: PreparedGraph['randomness'];
  readonly specialize?: (bound: Memories) => Promise<OnnxProgram>;
  readonly #plan: Plan;
  readonly #encoded: EncodedGraph;
  readonly #session: InferenceSession;

  /** @throws UnsupportedError for an operator without a lowering; BackendError if ONNX Runtime refuses the model. */
  static async create(
    source: Graph,
    { aliases }: Required<CompileOptions>,
    options: OnnxProgramOptions,
  ): Promise<OnnxProgram> {
    const { graph: unguarded, guard, guarded } = extractGuard(source, aliases);
    const { graph, randomness } = prepareGraph(unguarded, manifest, 'onnx');
    const runtime = await loadRuntime();
    return OnnxProgram.#load({
      graph: fuse(graph),
      randomness,
      guard:
        guard === undefined ? undefined : { output: guard, pairs: aliases.filter(([, name]) => guarded.has(name)) },
      runtime,
      barrier: await resultBarrier(runtime),
      options: { ...options, session: withoutSingleFusions(graph, options.session) },
    });
  }

  static async #load(plan: Plan, constants: Readonly<Record<string, HostArray>> = {}): Promise<OnnxProgram> {
    const { graph, barrier, runtime, options } = plan;
    const encoded = encodeGraph(graph, { barrier: barrier !== undefined, constants });
    try {
      return new OnnxProgram(plan, encoded, await runtime.InferenceSession.create(encoded.bytes, options.session));
    } catch (cause) {
      throw onnxError(cause, 'compile', encoded);
    }
  }

  private constructor(plan: Plan, encoded: EncodedGraph, session: InferenceSession) {
    this.#plan = plan;
    this.#encoded = encoded;
    this.#session = session;
    this.randomness = plan.randomness;
    if (plan.options.prepack) {
      this.specialize = (bound) => {
        const constants = Object.entries(bound).map(([name, { data, type }]) => [name, { data, ...type }] as const);
        return OnnxProgram.#load(plan, Object.fromEntries(constants));
      };
    }
    plan.options.pool.reserve(this.#outputTypes);
  }

  get #outputTypes() {
    return this.#encoded.outputs.map(({ tensor }) => tensor);
  }

  async run(inputs: Memories): Promise<Memories> {
    const { runtime, barrier, options } = this.#plan;
    const encoded = this.#encoded;
    const given: Record<string, Tensor> = {};
    for (const { name, value } of encoded.inputs) given[value] = inputs[name].tensor(runtime.Tensor);
    const results: Record<string, Memory> = Object.create(null);
    const written: Record<string, Tensor | null> = {};
    for (const { name, value, tensor } of encoded.outputs) {
      results[name] = options.pool.take(tensor);
      written[value] = results[name].tensor(runtime.Tensor);
    }
    if (encoded.barrier !== undefined) written[encoded.barrier] = null;
    try {
      await this.#session.run(given, written);
    } catch (cause) {
      if (!barrier?.isSuccess(cause)) {
        for (const name of Object.keys(results)) options.pool.give(results[name]);
        throw onnxError(cause, 'run', encoded);
      }
    }
    this.#applyGuard(inputs, results);
    return results;
  }

  /** If the guard is false, replaces guarded results by the inputs they are aliased to, so that the old state goes on without a copy. */
  #applyGuard(inputs: Memories, results: Record<string, Memory>): void {
    const { guard, options } = this.#plan;
    if (!guard) return;
    const condition = results[guard.output];
    if (condition.data[0] === 0) {
      for (const [input, output] of guard.pairs) {
        const kept = inputs[input];
        // The caller's array must not become an output.
        if (kept instanceof BorrowedMemory) results[output].data.set(kept.data);
        else {
          options.pool.give(results[output]);
          results[output] = kept;
        }
      }
    }
    options.pool.give(condition);
  }

  async dispose(): Promise<void> {
    this.#plan.options.pool.unreserve(this.#outputTypes);
    await this.#session.release();
  }
}

const onnxError = (cause: unknown, doing: 'compile' | 'run', { nodes }: EncodedGraph): Error =>
  runtimeError({ runtime: 'ONNX Runtime', cause, doing, nodes, label: /[A-Za-z0-9]+#\d+/g });
