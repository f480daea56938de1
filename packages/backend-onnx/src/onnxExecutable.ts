import {
  checkBinding,
  DisposedError,
  GraphError,
  isHostArray,
  isStorageOf,
  ShapeError,
  sizeOf,
  toStorage,
  withBound,
  type BackendArray,
  type CompilationHold,
  type CompileOptions,
  type Executable,
  type Graph,
  type HostArray,
  type NamedArrays,
  type RunInputs,
} from '@flow-matching/tensor';
import type { CompiledGraph } from './compiledGraph.ts';
import { Memory } from './memory.ts';
import { OnnxArray } from './onnxArray.ts';
import type { MemoryPool } from './memoryPool.ts';

export interface OnnxExecutableParts {
  readonly graph: Graph;
  readonly aliases: CompileOptions['aliases'];
  readonly hold: CompilationHold<CompiledGraph>;
  readonly pool: MemoryPool;
  /** Whether bound arrays become constants of a separate session. */
  readonly prepack: boolean;
  readonly bound?: NamedArrays;
  /** The session with the bound arrays as constants. */
  readonly specialised?: Promise<CompiledGraph>;
  /** Releases the compilation of this executable. */
  readonly release: () => void | Promise<void>;
}

/** One caller's handle of a compiled graph. */
export class OnnxExecutable implements Executable {
  readonly #parts: OnnxExecutableParts;
  #released: Promise<void> | undefined;

  constructor(parts: OnnxExecutableParts) {
    this.#parts = parts;
  }

  get graph(): Graph {
    return this.#parts.graph;
  }

  /**
   * Runs the graph on `inputs` and the bound arrays. Host arrays are read in place, not copied: do not change them until the
   * run is done. The memory of donated arrays is overwritten by the run after the next.
   */
  async run(inputs: RunInputs): Promise<Record<string, BackendArray>> {
    this.#checkAlive();
    const { graph, aliases = [], hold, pool, bound = {} } = this.#parts;
    const compiled = hold.value;
    const given = withBound(graph, bound, inputs, aliases);

    const sources = graph.inputs.map(({ name }) => [name, source(name, given[name])] as const);
    const used = sources.flatMap(([, array]) => (array instanceof OnnxArray ? [array] : []));
    const feeds = Object.fromEntries(
      sources.map(([name, array]) => [name, array instanceof OnnxArray ? array.beginUse() : array]),
    );
    const seeds = Object.fromEntries(compiled.seeds.map((name) => [name, hostValue(feeds[name])]));
    const results = Object.fromEntries(compiled.outputs.map(({ name, tensor }) => [name, pool.take(tensor)]));
    const run = this.#compute(feeds, seeds, results);
    const donated = aliases.map(([input]) => given[input]).filter((array) => array instanceof OnnxArray);
    for (const array of donated) array.donate(run);

    let succeeded = false;
    try {
      await run;
      succeeded = true;
      const kept = this.#keptInputs(given, results);
      return Object.fromEntries(
        graph.outputs.map(({ name }) => [name, kept.get(name) ?? new OnnxArray(pool, results[name])]),
      );
    } finally {
      for (const array of used) array.endUse();
      for (const array of donated) array.settleDonation(succeeded);
      if (!succeeded) for (const memory of Object.values(results)) pool.give(memory);
    }
  }

  /**
   * The replacements of the guarded outputs of a run whose guard is false: their aliased input arrays, unchanged. The memory of
   * the discarded results, and of the guard, is freed.
   */
  #keptInputs(given: RunInputs, results: Readonly<Record<string, Memory>>): Map<string, OnnxArray> {
    const { aliases = [], hold, pool } = this.#parts;
    const compiled = hold.value;
    const kept = new Map<string, OnnxArray>();
    if (!compiled.guard) return kept;
    const { output, guarded } = compiled.guard;
    if (results[output].data[0] === 0) {
      for (const [input, name] of aliases) {
        if (!guarded.has(name)) continue;
        const array = given[input];
        kept.set(
          name,
          array instanceof OnnxArray ? new OnnxArray(pool, array.surrender()) : uploaded(pool, array as HostArray),
        );
        pool.give(results[name]);
      }
    }
    pool.give(results[output]);
    return kept;
  }

  async #compute(...run: Parameters<CompiledGraph['run']>): Promise<void> {
    const compiled = await (this.#parts.specialised ?? this.#parts.hold.value);
    await compiled.run(...run);
  }

  #checkAlive(): void {
    if (!this.#released) return;
    throw new DisposedError('The executable was disposed.', {
      expected: 'an executable that is not disposed',
      remedy: 'Compile the graph again.',
    });
  }

  bind(arrays: NamedArrays): Executable {
    const { graph, aliases, prepack, bound } = this.#parts;
    this.#checkAlive();
    checkBinding(graph, arrays, aliases, bound);
    const all = { ...bound, ...arrays };
    const hold = this.#parts.hold.again();
    if (!prepack) return new OnnxExecutable({ ...this.#parts, bound: all, hold, release: () => undefined });
    const specialised = specialise(hold.value, all);
    // A failure is reported by the runs that wait for it.
    const release = (): Promise<void> =>
      specialised.then(
        (variant) => variant.dispose(),
        () => {},
      );
    return new OnnxExecutable({ ...this.#parts, bound: all, hold, specialised, release });
  }

  async dispose(): Promise<void> {
    await (this.#released ??= this.#release());
  }

  async #release(): Promise<void> {
    await this.#parts.release();
    await this.#parts.hold.release();
  }
}

/** The source of an input: an array of this backend, or the memory of a host array. */
function source(name: string, array: BackendArray | HostArray): OnnxArray | Memory {
  return isHostArray(array) ? hostMemory(name, array) : ownArray(name, array);
}

function uploaded(pool: MemoryPool, { data, shape, dtype }: HostArray): OnnxArray {
  const memory = pool.take({ shape, dtype });
  memory.data.set(data);
  return new OnnxArray(pool, memory);
}

function ownArray(name: string, array: BackendArray): OnnxArray {
  if (array instanceof OnnxArray) return array;
  throw new GraphError(`The array given for '${name}' belongs to another backend.`, {
    actual: array.constructor.name,
    expected: 'an array of the onnx backend, or a host array',
    remedy: 'Read it and pass the host array.',
  });
}

/** A host array in place; a copy if it does not have the storage type of its dtype, or is shared memory, which the native binding refuses. */
function hostMemory(name: string, { data, shape, dtype }: HostArray): Memory {
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(`The input '${name}' has ${data.length} values.`, {
      actual: data.length,
      expected: `${sizeOf(shape)} values`,
    });
  }
  const inPlace = isStorageOf(data, dtype) && data.buffer instanceof ArrayBuffer;
  return new Memory(inPlace ? data : toStorage(data, dtype), { shape, dtype });
}

/** A session with `bound` as constants. The arrays' memory is not reused until the session has read them. */
async function specialise(compiled: CompiledGraph, bound: NamedArrays): Promise<CompiledGraph> {
  const arrays = Object.entries(bound).map(([name, array]) => [name, ownArray(name, array)] as const);
  const constants = Object.fromEntries(arrays.map(([name, array]) => [name, hostValue(array.beginUse())]));
  try {
    return await compiled.withConstants(constants);
  } finally {
    for (const [, array] of arrays) array.endUse();
  }
}

const hostValue = ({ data, type: { shape, dtype } }: Memory): HostArray => ({ data, shape, dtype });
