import type { Backend, BackendArray, CompileOptions, Executable, NamedArrays, RunInputs } from '../backend/backend.ts';
import { checkSupported, supports, type Manifest } from '../backend/manifest.ts';
import { checkAliases, checkBinding, checkRunInputs, isHostArray } from '../backend/runInputs.ts';
import { DisposedError, GraphError, ShapeError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { inlineComposites } from '../passes/inlineComposites.ts';
import type { TypedArray } from '../tensor/dtype.ts';
import type { HostArray } from '../tensor/hostArray.ts';
import { formatShape, sizeOf } from '../tensor/shape.ts';
import { evaluateGraph, inReferenceStorage } from './evaluateGraph.ts';
import { referenceManifest } from './kernels.ts';

/**
 * The definition of the operators as a backend: graphs are interpreted in this process, node by node, every float in f64.
 *
 * `array()` takes floats of either dtype in a Float32Array or a Float64Array; `read()` gives them in a Float64Array, unrounded,
 * whatever their dtype. Other dtypes are read in their own storage.
 */
export class ReferenceBackend implements Backend {
  readonly name = 'reference';
  readonly device = 'cpu, interpreted in f64';
  readonly manifest: Manifest = referenceManifest;
  readonly #queue = new Queue();

  array(source: HostArray): BackendArray {
    this.#queue.checkOpen();
    if (source.data.length !== sizeOf(source.shape)) {
      throw new ShapeError(`${source.data.length} values do not fill shape ${formatShape(source.shape)}.`, {
        actual: source.data.length,
        expected: `${sizeOf(source.shape)} values`,
      });
    }
    return new ReferenceArray(ownCopy(source));
  }

  /** As the contract has it. Nothing is compiled, so nothing is shared between compilations. */
  async compile(graph: Graph, options: CompileOptions = {}): Promise<Executable> {
    this.#queue.checkOpen();
    checkAliases(graph, options);
    checkSupported(
      inlineComposites(graph, (node) => supports(this.manifest, node)),
      this.manifest,
      this.name,
    );
    return new ReferenceExecutable(graph, options.aliases ?? [], {}, this.#queue);
  }

  /** Waits for the runs under way. Arrays stay readable: they are plain memory. */
  dispose(): Promise<void> {
    return this.#queue.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

/** The f64 reference as a backend: see {@link ReferenceBackend}. */
export const createReferenceBackend = (): Backend => new ReferenceBackend();

class ReferenceArray implements BackendArray {
  readonly shape: HostArray['shape'];
  readonly dtype: HostArray['dtype'];
  #value: HostArray | undefined;
  #donated = false;

  constructor(value: HostArray) {
    this.shape = value.shape;
    this.dtype = value.dtype;
    this.#value = value;
  }

  get disposed(): boolean {
    return this.#value === undefined;
  }

  /** The elements themselves. */
  get value(): HostArray {
    this.checkNotDonated();
    if (this.#value) return this.#value;
    throw new DisposedError('The array was disposed.', { expected: 'a live array' });
  }

  checkNotDonated(): void {
    if (!this.#donated) return;
    throw new DisposedError('The array was donated to a run.', {
      expected: 'a live array',
      remedy: 'Use the array that the run returned in its place.',
    });
  }

  async read(): Promise<TypedArray> {
    return this.value.data.slice();
  }

  dispose(): void {
    this.#value = undefined;
  }

  donate(): void {
    this.#donated = true;
    this.dispose();
  }
}

type Aliases = NonNullable<CompileOptions['aliases']>;

/** Runs of the whole backend, one after another in the order asked for: the interpreter has one thread to itself anyway. */
class Queue {
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  add<T>(task: () => T): Promise<T> {
    this.checkOpen();
    const result = this.#last.then(task);
    // The next task waits for this one, whichever way it ends.
    this.#last = result.catch(() => undefined);
    return result;
  }

  checkOpen(): void {
    if (this.#closed) throw new DisposedError('The reference backend was disposed.', { expected: 'a live backend' });
  }

  async idle(): Promise<void> {
    await this.#last;
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.idle();
  }
}

class ReferenceExecutable implements Executable {
  readonly graph: Graph;
  readonly #aliases: Aliases;
  readonly #bound: NamedArrays;
  readonly #queue: Queue;
  #disposed = false;

  constructor(graph: Graph, aliases: Aliases, bound: NamedArrays, queue: Queue) {
    this.graph = graph;
    this.#aliases = aliases;
    this.#bound = bound;
    this.#queue = queue;
  }

  async run(inputs: RunInputs): Promise<Record<string, BackendArray>> {
    this.#checkAlive();
    const twice = Object.keys(inputs).find((name) => name in this.#bound);
    if (twice !== undefined) {
      throw new GraphError(`The input '${twice}' is bound already.`, {
        actual: twice,
        expected: 'inputs that are not bound',
      });
    }
    const all: RunInputs = { ...this.#bound, ...inputs };
    checkRunInputs(this.graph.inputs, all, this.#aliases);
    // Values are taken now, so that the caller may dispose a handle while the run waits; a donation before its turn still counts.
    const values = Object.fromEntries(Object.entries(all).map(([name, array]) => [name, valueOf(array)]));
    return this.#queue.add(() => this.#evaluate(all, values));
  }

  #evaluate(inputs: RunInputs, values: Record<string, HostArray>): Record<string, BackendArray> {
    for (const array of Object.values(inputs)) if (array instanceof ReferenceArray) array.checkNotDonated();
    const outputs = evaluateGraph(this.graph, values);
    const arrays = Object.fromEntries(
      Object.entries(outputs).map(([name, value]) => [name, new ReferenceArray(value)]),
    );
    for (const [name] of this.#aliases) {
      const array = inputs[name];
      if (array instanceof ReferenceArray) array.donate();
    }
    return arrays;
  }

  bind(arrays: NamedArrays): Executable {
    this.#checkAlive();
    checkBinding(this.graph, arrays, this.#aliases, this.#bound);
    return new ReferenceExecutable(this.graph, this.#aliases, { ...this.#bound, ...arrays }, this.#queue);
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#queue.idle();
  }

  #checkAlive(): void {
    this.#queue.checkOpen();
    if (this.#disposed) throw new DisposedError('The executable was disposed.', { expected: 'a live executable' });
  }
}

function valueOf(array: BackendArray | HostArray): HostArray {
  if (isHostArray(array)) return ownCopy(array);
  if (array instanceof ReferenceArray) return array.value;
  throw new GraphError('An array of another backend was given.', {
    actual: array,
    expected: 'an array of the reference backend, or a host array',
  });
}

/** A copy that later writes to the caller's array do not reach. */
function ownCopy(source: HostArray): HostArray {
  const { data, shape, dtype } = inReferenceStorage(source);
  return { data: data === source.data ? data.slice() : data, shape, dtype };
}
