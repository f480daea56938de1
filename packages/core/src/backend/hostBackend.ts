import type { Graph } from '../graph/graph.ts';
import type { HostArray } from '../tensor/hostArray.ts';
import type { Backend } from './backend.ts';
import { handleBackend } from './handleBackend.ts';
import type { Manifest } from './manifest.ts';

export type NamedHostArrays = Readonly<Record<string, HostArray>>;

/** What a backend that computes in host memory has of its own. */
export interface HostComputation {
  readonly name: string;
  /** What it runs on, for people. */
  readonly device: string;
  readonly manifest: Manifest;
  /**
   * Makes a graph runnable: a function from its inputs, by name, to its outputs, which may share memory with them but never writes to it.
   * One that takes long should await {@link yieldToEventLoop} between its kernels, so that timers and signals get their turn.
   *
   * @throws UnsupportedError for operators beyond the manifest; {@link prepareGraph} does.
   */
  readonly compile: (graph: Graph) => (inputs: NamedHostArrays) => NamedHostArrays | Promise<NamedHostArrays>;
  /** An array as the computation wants it, which later writes to the caller's do not reach. Default: a copy. */
  readonly copy?: (source: HostArray) => HostArray;
}

/**
 * A backend whose arrays are host arrays and whose runs are function calls: handles, donation, binding, checks, the order of runs and
 * disposal are here, elements are the computation's.
 */
export const hostBackend = ({ name, device, manifest, compile, copy = copied }: HostComputation): Backend =>
  handleBackend<HostArray>({
    name,
    device,
    manifest,
    memory: name,
    upload: copy,
    read: async ({ data }) => data.slice(),
    // Plain memory is the collector's.
    retain: () => undefined,
    release: () => undefined,
    compile(graph) {
      const run = compile(graph);
      return { run: async (inputs) => run(inputs), dispose: () => undefined };
    },
  });

const copied = ({ data, shape, dtype }: HostArray): HostArray => ({ data: data.slice(), shape, dtype });
