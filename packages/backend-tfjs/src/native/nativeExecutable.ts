import {
  checkBinding,
  DisposedError,
  GraphError,
  isHostArray,
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
import type { Binding } from './binding.ts';
import { NativeArray, upload } from './nativeArray.ts';
import type { NativeLife } from './nativeLife.ts';
import type { NativeModel } from './nativeModel.ts';

export interface NativeExecutableParts {
  readonly graph: Graph;
  readonly aliases: NonNullable<CompileOptions['aliases']>;
  readonly hold: CompilationHold<NativeModel>;
  readonly binding: Binding;
  readonly life: NativeLife;
  readonly bound: NamedArrays;
}

/** One caller's handle of a compiled graph. The native call is synchronous, so runs end in the order of the calls. */
export class NativeExecutable implements Executable {
  readonly #parts: NativeExecutableParts;
  #disposed = false;

  constructor(parts: NativeExecutableParts) {
    this.#parts = parts;
  }

  get graph(): Graph {
    return this.#parts.graph;
  }

  async run(inputs: RunInputs): Promise<Record<string, BackendArray>> {
    this.#checkAlive();
    const { graph, aliases, hold, binding, life, bound } = this.#parts;
    const given = withBound(graph, bound, inputs, aliases);
    const uploaded: number[] = [];
    const tensorOf = (array: BackendArray | HostArray): number => {
      if (!isHostArray(array)) return this.#own(array).tensor;
      const tensor = upload(binding, array);
      uploaded.push(tensor);
      return tensor;
    };
    try {
      const tensors = Object.fromEntries(Object.entries(given).map(([name, array]) => [name, tensorOf(array)]));
      const results = hold.value.run(tensors, this.#seeds(given));
      for (const [name] of aliases) {
        const array = given[name];
        if (array instanceof NativeArray) array.donate();
      }
      return Object.fromEntries(
        graph.outputs.map(({ name, tensor }, i) => [name, new NativeArray(binding, results[i], tensor, life)]),
      );
    } finally {
      for (const tensor of uploaded) binding.deleteTensor(tensor);
    }
  }

  #seeds(given: RunInputs): Record<string, HostArray> {
    const seeds: Record<string, HostArray> = {};
    for (const name of this.#parts.hold.value.seeds) {
      const array = given[name];
      const { shape, dtype } = array;
      seeds[name] = isHostArray(array) ? array : { data: this.#own(array).values(), shape, dtype };
    }
    return seeds;
  }

  #own(array: BackendArray): NativeArray {
    if (array instanceof NativeArray && array.isOf(this.#parts.binding)) return array;
    throw new GraphError('An array of another backend was given.', {
      actual: array.constructor.name,
      expected: 'an array of the tfjs backend, or a host array',
      remedy: 'Read it and pass the host array.',
    });
  }

  bind(arrays: NamedArrays): Executable {
    this.#checkAlive();
    const { graph, aliases, bound, hold } = this.#parts;
    checkBinding(graph, arrays, aliases, bound);
    return new NativeExecutable({ ...this.#parts, bound: { ...bound, ...arrays }, hold: hold.again() });
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#parts.hold.release();
  }

  #checkAlive(): void {
    this.#parts.life.check();
    if (this.#disposed)
      throw new DisposedError('The executable was disposed.', { expected: 'an executable that is not disposed' });
  }
}
