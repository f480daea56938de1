import { DisposedError, GraphError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import type { TypedArray } from '../tensor/dtype.ts';
import type { HostArray } from '../tensor/hostArray.ts';
import type { Backend, BackendArray, CompileOptions, Executable, NamedArrays, RunInputs } from './backend.ts';
import type { Manifest } from './manifest.ts';
import { checkAliases, checkBinding, checkElements, isHostArray, withBound } from './runInputs.ts';

export type NamedHostArrays = Readonly<Record<string, HostArray>>;

/** What a backend that computes in host memory has of its own. */
export interface HostComputation {
  readonly name: string;
  /** What it runs on, for people. */
  readonly device: string;
  readonly manifest: Manifest;
  /**
   * Makes a graph runnable: a function from its inputs, by name, to its outputs, which may share memory with them but never writes to it.
   *
   * @throws UnsupportedError for operators beyond the manifest; {@link prepareGraph} does.
   */
  readonly compile: (graph: Graph) => (inputs: NamedHostArrays) => NamedHostArrays;
  /** An array as the computation wants it, which later writes to the caller's do not reach. Default: a copy. */
  readonly copy?: (source: HostArray) => HostArray;
}

/**
 * A backend whose arrays are host arrays and whose runs are function calls: handles, donation, binding, checks, the order of runs and
 * disposal are here, elements are the computation's.
 */
export const hostBackend = (computation: HostComputation): Backend => new HostBackend(computation);

const copied = ({ data, shape, dtype }: HostArray): HostArray => ({ data: data.slice(), shape, dtype });

class HostBackend implements Backend {
  readonly name: string;
  readonly device: string;
  readonly manifest: Manifest;
  readonly #compile: HostComputation['compile'];
  readonly #context: Context;

  constructor({ name, device, manifest, compile, copy = copied }: HostComputation) {
    this.name = name;
    this.device = device;
    this.manifest = manifest;
    this.#compile = compile;
    this.#context = { name, copy, queue: new Queue(name) };
  }

  array(source: HostArray): BackendArray {
    this.#context.queue.checkOpen();
    checkElements(source);
    return new OwnedArray(this.#context.copy(source), this.name);
  }

  async compile(graph: Graph, options: CompileOptions = {}): Promise<Executable> {
    this.#context.queue.checkOpen();
    checkAliases(graph, options);
    return new HostExecutable(
      { graph, aliases: options.aliases ?? [], compute: this.#compile(graph) },
      {},
      this.#context,
    );
  }

  /** Waits for the runs under way. Arrays stay readable: they are plain memory. */
  dispose(): Promise<void> {
    return this.#context.queue.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

/** What everything of one backend shares. */
interface Context {
  readonly name: string;
  readonly copy: (source: HostArray) => HostArray;
  readonly queue: Queue;
}

class OwnedArray implements BackendArray {
  readonly shape: HostArray['shape'];
  readonly dtype: HostArray['dtype'];
  /** The name of the backend. */
  readonly owner: string;
  #value: HostArray | undefined;
  #donated = false;

  constructor(value: HostArray, owner: string) {
    this.shape = value.shape;
    this.dtype = value.dtype;
    this.owner = owner;
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

/** Runs of a whole backend, one after another in the order asked for: they have one thread to themselves anyway. */
class Queue {
  readonly #name: string;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(name: string) {
    this.#name = name;
  }

  add<T>(task: () => T): Promise<T> {
    this.checkOpen();
    const result = this.#last.then(task);
    // The next task waits for this one, whichever way it ends.
    this.#last = result.catch(() => undefined);
    return result;
  }

  checkOpen(): void {
    if (this.#closed)
      throw new DisposedError(`The ${this.#name} backend was disposed.`, { expected: 'a live backend' });
  }

  async idle(): Promise<void> {
    await this.#last;
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.idle();
  }
}

/** A graph as it was given, with what computes it. */
interface Program {
  readonly graph: Graph;
  readonly aliases: NonNullable<CompileOptions['aliases']>;
  readonly compute: (inputs: NamedHostArrays) => NamedHostArrays;
}

class HostExecutable implements Executable {
  readonly graph: Graph;
  readonly #program: Program;
  readonly #bound: NamedArrays;
  readonly #context: Context;
  #disposed = false;

  constructor(program: Program, bound: NamedArrays, context: Context) {
    this.graph = program.graph;
    this.#program = program;
    this.#bound = bound;
    this.#context = context;
  }

  async run(inputs: RunInputs): Promise<Record<string, BackendArray>> {
    this.#checkAlive();
    const all = withBound(this.graph, this.#bound, inputs, this.#program.aliases);
    // Values are taken now, so that the caller may dispose a handle while the run waits; a donation before its turn still counts.
    const values = Object.fromEntries(Object.entries(all).map(([name, array]) => [name, this.#valueOf(array)]));
    return this.#context.queue.add(() => this.#evaluate(all, values));
  }

  #evaluate(inputs: RunInputs, values: Record<string, HostArray>): Record<string, BackendArray> {
    for (const array of Object.values(inputs)) if (array instanceof OwnedArray) array.checkNotDonated();
    const outputs = this.#program.compute(values);
    const arrays = Object.fromEntries(
      Object.entries(outputs).map(([name, value]) => [name, new OwnedArray(value, this.#context.name)]),
    );
    for (const [name] of this.#program.aliases) {
      const array = inputs[name];
      if (array instanceof OwnedArray) array.donate();
    }
    return arrays;
  }

  #valueOf(array: BackendArray | HostArray): HostArray {
    if (isHostArray(array)) return this.#context.copy(array);
    if (array instanceof OwnedArray && array.owner === this.#context.name) return array.value;
    throw new GraphError('An array of another backend was given.', {
      actual: array,
      expected: `an array of the ${this.#context.name} backend, or a host array`,
    });
  }

  bind(arrays: NamedArrays): Executable {
    this.#checkAlive();
    checkBinding(this.graph, arrays, this.#program.aliases, this.#bound);
    return new HostExecutable(this.#program, { ...this.#bound, ...arrays }, this.#context);
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#context.queue.idle();
  }

  #checkAlive(): void {
    this.#context.queue.checkOpen();
    if (this.#disposed) throw new DisposedError('The executable was disposed.', { expected: 'a live executable' });
  }
}
