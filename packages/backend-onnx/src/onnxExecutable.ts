import {
  checkRunInputs,
  DisposedError,
  GraphError,
  isHostArray,
  type BackendArray,
  type CompileOptions,
  type Executable,
  type Graph,
  type HostArray,
  type NamedArrays,
  type RunInputs,
} from '@flow-matching/core';
import type { CompiledGraph } from './compiledGraph.ts';
import { Memory } from './memory.ts';
import { OnnxArray } from './onnxArray.ts';
import type { MemoryPool } from './memoryPool.ts';

export interface OnnxExecutableParts {
  readonly graph: Graph;
  readonly aliases: CompileOptions['aliases'];
  readonly compiled: CompiledGraph;
  readonly pool: MemoryPool;
  readonly bound?: NamedArrays;
  /** Gives the compiled graph back. */
  readonly release: () => Promise<void>;
}

/** A compiled graph as one caller holds it. */
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
   * Runs the graph on `inputs` and the bound arrays. Host arrays are read in place, not copied: leave them alone until the run is
   * done. The memory of donated arrays is written to by the run after the next.
   */
  async run(inputs: RunInputs): Promise<Record<string, BackendArray>> {
    if (this.#released) throw new DisposedError('The executable was disposed.', { expected: 'a live executable', remedy: 'Compile the graph again.' });
    const { graph, aliases = [], compiled, pool, bound } = this.#parts;
    if (bound) this.#refuseBound(inputs);
    const given: RunInputs = bound ? { ...bound, ...inputs } : inputs;
    checkRunInputs(graph.inputs, given);

    const used: OnnxArray[] = [];
    const feeds: Record<string, Memory> = {};
    for (const { name } of graph.inputs) {
      const array = given[name];
      if (isHostArray(array)) {
        feeds[name] = new Memory(array.data, array);
      } else {
        const own = ownArray(name, array);
        feeds[name] = own.beginUse();
        used.push(own);
      }
    }
    const seeds = Object.fromEntries(compiled.seeds.map((name) => [name, hostValue(feeds[name])]));
    const results = Object.fromEntries(compiled.outputs.map(({ name, tensor }) => [name, pool.take(tensor)]));
    const run = compiled.run(feeds, seeds, results);
    const donated = aliases.map(([input]) => given[input]).filter((array) => array instanceof OnnxArray);
    for (const array of donated) array.donate(run);

    let succeeded = false;
    try {
      await run;
      succeeded = true;
      return Object.fromEntries(compiled.outputs.map(({ name }) => [name, new OnnxArray(pool, results[name])]));
    } finally {
      for (const array of used) array.endUse();
      for (const array of donated) array.settleDonation(succeeded);
      if (!succeeded) for (const memory of Object.values(results)) pool.give(memory);
    }
  }

  bind(arrays: NamedArrays): Executable {
    const { graph, aliases = [], bound } = this.#parts;
    for (const name of Object.keys(arrays)) {
      graph.input(name);
      if (aliases.some(([input]) => input === name)) {
        throw new GraphError(`The input '${name}' is donated to an output, so it cannot be bound.`, { actual: name, expected: 'inputs without an alias' });
      }
    }
    return new OnnxExecutable({ ...this.#parts, bound: { ...bound, ...arrays }, release: async () => {} });
  }

  async dispose(): Promise<void> {
    await (this.#released ??= this.#parts.release());
  }

  #refuseBound(inputs: RunInputs): void {
    const twice = Object.keys(inputs).find((name) => name in this.#parts.bound!);
    if (twice !== undefined) throw new GraphError(`The input '${twice}' is bound.`, { actual: twice, expected: 'the inputs that are not bound' });
  }
}

function ownArray(name: string, array: BackendArray): OnnxArray {
  if (array instanceof OnnxArray) return array;
  throw new GraphError(`The array given for '${name}' belongs to another backend.`, {
    actual: array.constructor.name,
    expected: 'an array of the onnx backend, or a host array',
    remedy: 'Read it, and give what you read.',
  });
}

const hostValue = ({ data, type: { shape, dtype } }: Memory): HostArray => ({ data, shape, dtype });
