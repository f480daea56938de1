import { DisposedError, GraphError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import type { TypedArray } from '../tensor/dtype.ts';
import type { HostArray } from '../tensor/hostArray.ts';
import type { TensorType } from '../tensor/shape.ts';
import type { Backend, BackendArray, CompileOptions, Executable, NamedArrays, RunInputs } from './backend.ts';
import type { Manifest } from './manifest.ts';
import { checkAliases, checkBinding, checkElements, isHostArray, withBound } from './runInputs.ts';
import { SharedCompilations, type CompilationHold } from './sharedCompilations.ts';

/** A compiled graph over values in some memory. */
export interface HandleProgram<Value> {
  /** Outputs by name from inputs by name. Inputs are not changed. Each output is retained once, even if it is an input or another output. */
  run(inputs: Readonly<Record<string, Value>>): Promise<Readonly<Record<string, Value>>>;
  /** Releases what the program keeps. Called when no executable is left. */
  dispose(): void;
}

/** A memory, and how graphs are computed in it. Values are reference-counted: releasing the last reference frees a value. */
export interface HandleComputation<Value> {
  readonly name: string;
  /** What it runs on, for display. */
  readonly device: string;
  readonly manifest: Manifest;
  /** Identifies the memory: a run accepts arrays of every backend with the same one. */
  readonly memory: unknown;
  /** A copy, unaffected by later writes to the caller's array, with one reference. */
  upload(source: HostArray): Value;
  /** A copy of the elements. */
  read(value: Value, type: TensorType): Promise<TypedArray>;
  retain(value: Value): void;
  release(value: Value): void;
  /** @throws UnsupportedError for operators beyond the manifest; {@link prepareGraph} does. */
  compile(graph: Graph): HandleProgram<Value>;
}

/**
 * A backend over values in any memory. It implements handles, donation, binding, checks, the order of runs and disposal; the
 * computation implements values and operations on them.
 */
export const handleBackend = <Value>(computation: HandleComputation<Value>): Backend => new HandleBackend(computation);

class HandleBackend<Value> implements Backend {
  readonly name: string;
  readonly device: string;
  readonly manifest: Manifest;
  readonly #context: Context<Value>;

  constructor(computation: HandleComputation<Value>) {
    this.name = computation.name;
    this.device = computation.device;
    this.manifest = computation.manifest;
    this.#context = {
      computation,
      queue: new Queue(computation.name),
      compilations: new SharedCompilations((program) => program.dispose()),
    };
  }

  array(source: HostArray): BackendArray {
    this.#context.queue.checkOpen();
    checkElements(source);
    return new OwnedArray(this.#context.computation.upload(source), source, this.#context);
  }

  async compile(graph: Graph, { aliases = [] }: CompileOptions = {}): Promise<Executable> {
    this.#context.queue.checkOpen();
    checkAliases(graph, { aliases });
    const { compilations, computation } = this.#context;
    const program = await compilations.acquire(graph, { aliases }, () => computation.compile(graph));
    return new HandleExecutable({ graph, aliases, program, bound: {} }, this.#context);
  }

  async dispose(): Promise<void> {
    await this.#context.queue.close();
    await this.#context.compilations.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

/** Shared by all arrays and executables of one backend. */
interface Context<Value> {
  readonly computation: HandleComputation<Value>;
  readonly queue: Queue;
  readonly compilations: SharedCompilations<HandleProgram<Value>>;
}

class OwnedArray<Value> implements BackendArray {
  readonly shape: TensorType['shape'];
  readonly dtype: TensorType['dtype'];
  readonly #context: Context<Value>;
  #held: { readonly value: Value } | undefined;
  #donated = false;

  /** Takes over one reference to the value. */
  constructor(value: Value, { shape, dtype }: TensorType, context: Context<Value>) {
    this.shape = shape;
    this.dtype = dtype;
    this.#context = context;
    this.#held = { value };
  }

  get disposed(): boolean {
    return this.#held === undefined || this.#context.queue.closed;
  }

  get value(): Value {
    this.#context.queue.checkOpen();
    this.checkNotDonated();
    if (this.#held) return this.#held.value;
    throw new DisposedError('The array was disposed.', { expected: 'an array that is not disposed' });
  }

  isIn(memory: unknown): boolean {
    return this.#context.computation.memory === memory;
  }

  checkNotDonated(): void {
    if (!this.#donated) return;
    throw new DisposedError('The array was donated to a run.', {
      expected: 'an array that is not disposed',
      remedy: 'Use the array that the run returned in its place.',
    });
  }

  async read(): Promise<TypedArray> {
    const { value } = this;
    const { computation } = this.#context;
    // A read that has started completes even if the handle is disposed meanwhile.
    computation.retain(value);
    try {
      return await computation.read(value, this);
    } finally {
      computation.release(value);
    }
  }

  dispose(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held) this.#context.computation.release(held.value);
  }

  donate(): void {
    this.#donated = true;
    this.dispose();
  }
}

/** Runs of a whole backend, executed one after another in the order requested: they share one thread anyway. */
class Queue {
  readonly #name: string;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(name: string) {
    this.#name = name;
  }

  add<T>(task: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    // The next task waits for this one, whether it succeeds or fails.
    this.#last = result.catch(() => undefined);
    return result;
  }

  get closed(): boolean {
    return this.#closed;
  }

  checkOpen(): void {
    if (this.#closed)
      throw new DisposedError(`The ${this.#name} backend was disposed.`, {
        expected: 'a backend that is not disposed',
      });
  }

  async idle(): Promise<void> {
    await this.#last;
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.idle();
  }
}

interface ExecutableParts<Value> {
  /** The graph as passed to `compile`. */
  readonly graph: Graph;
  readonly aliases: NonNullable<CompileOptions['aliases']>;
  readonly program: CompilationHold<HandleProgram<Value>>;
  readonly bound: NamedArrays;
}

class HandleExecutable<Value> implements Executable {
  readonly graph: Graph;
  readonly #parts: ExecutableParts<Value>;
  readonly #context: Context<Value>;
  #disposed = false;

  constructor(parts: ExecutableParts<Value>, context: Context<Value>) {
    this.graph = parts.graph;
    this.#parts = parts;
    this.#context = context;
  }

  async run(inputs: RunInputs): Promise<Record<string, BackendArray>> {
    this.#checkAlive();
    const { aliases, bound } = this.#parts;
    const all = withBound(this.graph, bound, inputs, aliases);
    const foreign = Object.values(all).find((array) => !isHostArray(array) && !this.#isOwn(array));
    if (foreign) {
      throw new GraphError('An array of another backend was given.', {
        actual: foreign.constructor.name,
        expected: `an array of the ${this.#context.computation.name} backend, or a host array`,
        remedy: 'Read it and pass the host array.',
      });
    }
    // Values are retained now, so that the caller may dispose a handle while the run waits; a donation before the run starts still counts.
    const values = Object.fromEntries(Object.entries(all).map(([name, array]) => [name, this.#take(array)]));
    return this.#context.queue.add(() => this.#evaluate(all, values));
  }

  async #evaluate(inputs: RunInputs, values: Record<string, Value>): Promise<Record<string, BackendArray>> {
    const { computation } = this.#context;
    try {
      for (const array of Object.values(inputs)) if (this.#isOwn(array)) array.checkNotDonated();
      const outputs = await this.#parts.program.value.run(values);
      for (const [name] of this.#parts.aliases) {
        const array = inputs[name];
        if (this.#isOwn(array)) array.donate();
      }
      return Object.fromEntries(
        this.graph.outputs.map(({ name, tensor }) => [name, new OwnedArray(outputs[name], tensor, this.#context)]),
      );
    } finally {
      for (const value of Object.values(values)) computation.release(value);
    }
  }

  #isOwn(array: BackendArray | HostArray): array is OwnedArray<Value> {
    return array instanceof OwnedArray && array.isIn(this.#context.computation.memory);
  }

  /** The value, retained for this run. */
  #take(array: BackendArray | HostArray): Value {
    const { computation } = this.#context;
    if (isHostArray(array)) return computation.upload(array);
    const { value } = array as OwnedArray<Value>;
    computation.retain(value);
    return value;
  }

  bind(arrays: NamedArrays): Executable {
    this.#checkAlive();
    const { aliases, bound, program } = this.#parts;
    checkBinding(this.graph, arrays, aliases, bound);
    const parts = { ...this.#parts, bound: { ...bound, ...arrays }, program: program.again() };
    return new HandleExecutable(parts, this.#context);
  }

  async dispose(): Promise<void> {
    if (!this.#disposed) {
      this.#disposed = true;
      // After its pending runs.
      void this.#context.queue.add(() => this.#parts.program.release());
    }
    await this.#context.queue.idle();
  }

  #checkAlive(): void {
    this.#context.queue.checkOpen();
    if (this.#disposed)
      throw new DisposedError('The executable was disposed.', { expected: 'an executable that is not disposed' });
  }
}
