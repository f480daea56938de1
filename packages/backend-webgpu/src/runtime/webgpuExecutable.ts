import {
  BackendError,
  type BackendArray,
  type Executable,
  type Graph,
  type HandleExecutable,
  type HostArray,
  type NamedArrays,
  type RunInputs,
} from '@flow-matching/tensor';
import type { Program } from '../compiler/program.ts';
import type { ArrayPlace } from './arrayPlace.ts';
import type { CompiledGraph } from './compiledGraph.ts';

/** A compiled graph that shows its kernels and their times. */
export class WebgpuExecutable implements Executable {
  readonly #executable: HandleExecutable<ArrayPlace, HostArray>;

  constructor(executable: HandleExecutable<ArrayPlace, HostArray>) {
    this.#executable = executable;
  }

  get #compiled(): CompiledGraph {
    return this.#executable.program as CompiledGraph;
  }

  get graph(): Graph {
    return this.#executable.graph;
  }

  /** The kernels with their WGSL, and the memory plan. */
  get program(): Program {
    return this.#compiled.program;
  }

  /**
   * Milliseconds of each kernel in the last run of this graph.
   *
   * @throws BackendError unless the backend was created with `debug` on an adapter that supports timestamps.
   */
  async kernelTimes(): Promise<number[]> {
    this.#executable.checkLive();
    const { timer } = this.#compiled;
    if (timer) return timer.read();
    throw new BackendError('Kernels are not timed.', {
      expected: 'a backend with the option debug, on an adapter with the feature timestamp-query',
    });
  }

  run(inputs: RunInputs): Promise<Record<string, BackendArray>> {
    return this.#executable.run(inputs);
  }

  bind(arrays: NamedArrays): WebgpuExecutable {
    return new WebgpuExecutable(this.#executable.bind(arrays));
  }

  dispose(): Promise<void> {
    return this.#executable.dispose();
  }
}
