import type { Graph } from '../graph/graph.ts';
import type { HostArray } from '../tensor/hostArray.ts';
import type { Backend } from './backend.ts';
import { handleBackend } from './handleBackend.ts';
import type { Manifest } from './manifest.ts';

export type NamedHostArrays = Readonly<Record<string, HostArray>>;

/** What defines a backend that computes in host memory. */
export interface HostComputation {
  readonly name: string;
  /** What it runs on, for display. */
  readonly device: string;
  readonly manifest: Manifest;
  /**
   * Compiles a graph to a function from inputs by name to outputs by name. Outputs may share memory with inputs, but the
   * function never writes to its inputs. A long computation should await {@link yieldToEventLoop} between kernels, so that
   * timers and signals are handled.
   *
   * @throws UnsupportedError for operators beyond the manifest; {@link prepareGraph} does.
   */
  readonly compile: (graph: Graph) => (inputs: NamedHostArrays) => NamedHostArrays | Promise<NamedHostArrays>;
  /** The array in the computation's storage, unaffected by later writes to the caller's array. Default: a copy. */
  readonly copy?: (source: HostArray) => HostArray;
}

/**
 * A backend whose arrays are host arrays and whose runs are function calls. It implements handles, donation, binding, checks,
 * the order of runs and disposal; `compile` computes the elements.
 */
export const hostBackend = ({ name, device, manifest, compile, copy = copied }: HostComputation): Backend =>
  handleBackend<HostArray>({
    name,
    device,
    manifest,
    memory: name,
    upload: copy,
    read: ({ data }) => data.slice(),
    // Host memory is garbage-collected.
    free: () => undefined,
    compile(graph) {
      const run = compile(graph);
      return { run, dispose: () => undefined };
    },
  });

const copied = ({ data, shape, dtype }: HostArray): HostArray => ({ data: data.slice(), shape, dtype });
