import { DisposedError, GraphError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import type { HostArray } from '../tensor/hostArray.ts';
import type { BackendArray, CompileOptions, Executable, NamedArrays, RunInputs } from './backend.ts';
import type { BackendLife } from './backendLife.ts';
import type { Compilation } from './compilation.ts';
import type { HandleComputation, HandleProgram } from './handleComputation.ts';
import { OwnedArray } from './ownedArray.ts';
import { checkBinding, isHostArray, withBound } from './runInputs.ts';
import type { RunQueue } from './runQueue.ts';
import type { CompilationHold } from './sharedCompilations.ts';
import { SharedValue } from './sharedValue.ts';
import { TakenInputs } from './takenInputs.ts';

/** Shared by all arrays and executables of one backend. */
export interface HandleContext<Value, Borrowed> {
  readonly computation: HandleComputation<Value, Borrowed>;
  readonly life: BackendLife;
  /** The queue of a new program. */
  readonly queue: () => RunQueue;
}

export interface HandleExecutableParts<Value, Borrowed> {
  /** The graph as passed to `compile`. */
  readonly graph: Graph;
  readonly aliases: NonNullable<CompileOptions['aliases']>;
  readonly hold: CompilationHold<Compilation<Value, Borrowed>>;
  readonly bound: NamedArrays;
  /** Specialized for the bound arrays. */
  readonly variant?: Promise<Compilation<Value, Borrowed>> | undefined;
}

/** A compiled graph as one caller holds it. */
export class HandleExecutable<Value, Borrowed = Value> implements Executable {
  readonly graph: Graph;
  readonly #parts: HandleExecutableParts<Value, Borrowed>;
  readonly #context: HandleContext<Value, Borrowed>;
  #disposal: Promise<unknown> | undefined;

  constructor(parts: HandleExecutableParts<Value, Borrowed>, context: HandleContext<Value, Borrowed>) {
    this.graph = parts.graph;
    this.#parts = parts;
    this.#context = context;
  }

  /** What was compiled, shared by the executables of equal graphs. */
  get program(): HandleProgram<Value, Borrowed> {
    return this.#parts.hold.value.program;
  }

  async run(inputs: RunInputs): Promise<Record<string, BackendArray>> {
    this.checkLive();
    const { aliases, bound, hold, variant } = this.#parts;
    const given = withBound(this.graph, bound, inputs, aliases);
    this.#checkOwn(given);
    const taken = new TakenInputs(given, this.program.randomness?.dependsOn ?? [], this.#context.computation);
    const running = variant ? variant.then((compiled) => compiled.run(taken)) : hold.value.run(taken);
    const donated = aliases.map(([input]) => given[input]).filter((array) => array instanceof OwnedArray);
    for (const array of donated) array.donate(running);
    try {
      const outputs = this.#arrays(await running, taken.shared);
      for (const array of donated) array.endDonation();
      return outputs;
    } catch (error) {
      for (const array of donated) array.undoDonation(error);
      throw error;
    } finally {
      taken.release();
    }
  }

  /** Handles to the values of a run. An output that is an input or another output shares its value. */
  #arrays(
    values: Readonly<Record<string, Value>>,
    inputs: readonly SharedValue<Value>[],
  ): Record<string, BackendArray> {
    const known = new Map(inputs.map((shared) => [shared.value, shared]));
    return Object.fromEntries(
      this.graph.outputs.map(({ name, tensor }) => {
        const value = values[name];
        const same = known.get(value);
        const shared = same?.retain() ?? new SharedValue(value, this.#context.computation);
        if (!same) known.set(value, shared);
        return [name, new OwnedArray(shared, tensor, this.#context)];
      }),
    );
  }

  bind(arrays: NamedArrays): HandleExecutable<Value, Borrowed> {
    this.checkLive();
    const { aliases, bound, hold } = this.#parts;
    checkBinding(this.graph, arrays, aliases, bound);
    this.#checkOwn(arrays);
    const all = { ...bound, ...arrays };
    const variant = this.#specialized(all);
    return new HandleExecutable({ ...this.#parts, bound: all, hold: hold.again(), variant }, this.#context);
  }

  /** The program specialized for bound arrays, if the backend does that. Runs report its failure. */
  #specialized(bound: NamedArrays): Promise<Compilation<Value, Borrowed>> | undefined {
    if (!this.program.specialize) return undefined;
    const taken = new TakenInputs(bound, [], this.#context.computation);
    const program = this.program.specialize(taken.values as Record<string, Value>);
    const variant = this.#parts.hold.value.addVariant(program, this.#context.queue());
    variant.then(
      () => taken.release(),
      () => taken.release(),
    );
    return variant;
  }

  /** @throws GraphError for an array that is in another memory. */
  #checkOwn(arrays: RunInputs): void {
    const { memory, name: backend } = this.#context.computation;
    for (const name of Object.keys(arrays)) {
      const array: BackendArray | HostArray = arrays[name];
      if (isHostArray(array) || (array instanceof OwnedArray && array.isIn(memory))) continue;
      throw new GraphError(`The array given for '${name}' belongs to another backend.`, {
        actual: array.constructor.name,
        expected: `an array of the ${backend} backend, or a host array`,
        remedy: 'Read it and pass the host array.',
      });
    }
  }

  /** Resolves after the runs requested so far. */
  async dispose(): Promise<void> {
    await (this.#disposal ??= this.#release());
  }

  async #release(): Promise<void> {
    const { hold, variant } = this.#parts;
    if (variant) await hold.value.disposeVariant(variant);
    await Promise.all([hold.value.idle(), hold.release()]);
  }

  /** @throws DisposedError after its own or the backend's disposal; the device's error after it has failed. */
  checkLive(): void {
    this.#context.life.check();
    if (!this.#disposal) return;
    throw new DisposedError('The executable was disposed.', {
      expected: 'an executable that is not disposed',
      remedy: 'Compile the graph again.',
    });
  }
}
