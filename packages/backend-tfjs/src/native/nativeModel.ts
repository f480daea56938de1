import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareGraph, runtimeError, type Graph, type HandleProgram, type PreparedGraph } from '@flow-matching/tensor';
import type { Binding } from './binding.ts';
import { encodeGraph, type EncodedGraph } from './encodeGraph.ts';
import { nativeManifest } from './lowering/index.ts';

/** Counts native calls that run graphs. */
export interface RunCounts {
  runs: number;
}

/** A graph as a TensorFlow session. */
export class NativeModel implements HandleProgram<number> {
  readonly randomness: PreparedGraph['randomness'];
  readonly #binding: Binding;
  readonly #encoded: EncodedGraph;
  readonly #inputNames: string;
  readonly #outputNames: string;
  readonly #counts: RunCounts;
  #model: number | undefined;

  /** @throws UnsupportedError for an operator without a lowering; BackendError if TensorFlow refuses the graph. */
  constructor(binding: Binding, source: Graph, counts: RunCounts) {
    const { graph, randomness } = prepareGraph(source, nativeManifest, 'tfjs');
    this.#binding = binding;
    this.#counts = counts;
    this.randomness = randomness;
    this.#encoded = encodeGraph(graph);
    this.#inputNames = this.#encoded.inputs.map(({ node }) => node).join(',');
    this.#outputNames = this.#encoded.outputs.map(({ node }) => node).join(',');
    this.#model = load(binding, this.#encoded);
  }

  /** One native call. Every output is a new tensor. */
  run(inputs: Readonly<Record<string, number>>): Record<string, number> {
    const tensors = this.#encoded.inputs.map(({ name }) => inputs[name]);
    this.#counts.runs++;
    try {
      const results = this.#binding.runSavedModel(this.#model!, tensors, this.#inputNames, this.#outputNames);
      return Object.fromEntries(this.#encoded.outputs.map(({ name }, i) => [name, results[i].id]));
    } catch (cause) {
      throw tensorflowError(cause, 'run', this.#encoded);
    }
  }

  dispose(): void {
    if (this.#model !== undefined) this.#binding.deleteSavedModel(this.#model);
    this.#model = undefined;
  }
}

/** TensorFlow only reads models from directories. */
function load(binding: Binding, encoded: EncodedGraph): number {
  const directory = mkdtempSync(join(tmpdir(), 'flow-matching-'));
  try {
    writeFileSync(join(directory, 'saved_model.pb'), encoded.bytes);
    return binding.loadSavedModel(directory, 'serve');
  } catch (cause) {
    throw tensorflowError(cause, 'compile', encoded);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const tensorflowError = (cause: unknown, doing: 'compile' | 'run', { nodes }: EncodedGraph): Error =>
  runtimeError({ runtime: 'TensorFlow', cause, doing, nodes, label: /[A-Za-z0-9]+\.\d+/g });
