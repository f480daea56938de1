import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareGraph, runtimeError, type Graph, type HostArray, type PreparedGraph } from '@flow-matching/tensor';
import type { Binding } from './binding.ts';
import { encodeGraph, type EncodedGraph } from './encodeGraph.ts';
import { nativeManifest } from './lowering/index.ts';
import { upload } from './nativeArray.ts';

/** Counts native calls that run graphs. */
export interface RunCounts {
  runs: number;
}

/** A graph as a TensorFlow session, shared by all its executables. */
export class NativeModel {
  /** Inputs whose values the host must know before a run, because it draws random numbers from them. */
  readonly seeds: readonly string[];
  readonly #binding: Binding;
  readonly #randomness: PreparedGraph['randomness'];
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
    this.#randomness = randomness;
    this.#encoded = encodeGraph(graph);
    this.seeds = randomness?.dependsOn ?? [];
    this.#inputNames = this.#encoded.inputs.map(({ node }) => node).join(',');
    this.#outputNames = this.#encoded.outputs.map(({ node }) => node).join(',');
    this.#model = load(binding, this.#encoded);
  }

  /** One native call. `tensors` are by input name; result tensors are new, in the order of the graph's outputs. */
  run(tensors: Readonly<Record<string, number>>, seeds: Readonly<Record<string, HostArray>>): number[] {
    const drawn = this.#randomness?.draw(seeds) ?? {};
    const uploaded: number[] = [];
    try {
      const inputs = this.#encoded.inputs.map(({ name }) => {
        if (!(name in drawn)) return tensors[name];
        const tensor = upload(this.#binding, drawn[name]);
        uploaded.push(tensor);
        return tensor;
      });
      this.#counts.runs++;
      const results = this.#binding.runSavedModel(this.#model!, inputs, this.#inputNames, this.#outputNames);
      return results.map(({ id }) => id);
    } catch (cause) {
      throw tensorflowError(cause, 'run', this.#encoded);
    } finally {
      for (const tensor of uploaded) this.#binding.deleteTensor(tensor);
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
