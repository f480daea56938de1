import type { Graph } from '../graph/graph.ts';
import type { HostRandomness } from '../passes/hoistRandomness.ts';
import type { TypedArray } from '../tensor/dtype.ts';
import type { HostArray } from '../tensor/hostArray.ts';
import type { TensorType } from '../tensor/shape.ts';
import type { CompileOptions } from './backend.ts';
import type { Manifest } from './manifest.ts';

/** A compiled graph over values in some memory. `Borrowed` is what stands for a host array, where the memory has `borrow`. */
export interface HandleProgram<Value, Borrowed = Value> {
  /** What the host draws before each run; {@link prepareGraph} returns it. `run` receives the draws as further inputs. */
  readonly randomness?: HostRandomness | undefined;
  /**
   * Outputs by name from inputs by name. Inputs are not changed, except that an aliased input may be overwritten with its output.
   * Each output is a new value or, as the same object, an input or another output; it must not be borrowed. If the run throws a
   * LostError, the arrays donated to it are lost; if it throws any other error, its inputs are as they were.
   */
  run(
    inputs: Readonly<Record<string, Value | Borrowed>>,
  ): Readonly<Record<string, Value>> | Promise<Readonly<Record<string, Value>>>;
  /**
   * The same graph compiled for fixed values of some inputs, which runs still receive. It must not use them after it has resolved.
   * Without it, bound inputs are passed like any other.
   */
  specialize?(bound: Readonly<Record<string, Value>>): Promise<HandleProgram<Value, Borrowed>>;
  /** Releases what the program keeps. Called once, after its last run. */
  dispose(): void | Promise<void>;
}

/** A memory, and how graphs are computed in it. */
export interface HandleComputation<Value, Borrowed = Value> {
  readonly name: string;
  /** What it runs on, for display. */
  readonly device: string;
  readonly manifest: Manifest;
  /** Identifies the memory: a run accepts arrays of every backend with the same one. */
  readonly memory: unknown;
  /**
   * Which runs wait for one another. `backend` (default): all of them, for computations that share one thread. `program`: those of
   * one program. `device`: none; a run takes its inputs before it first waits for anything, and the device keeps the order.
   */
  readonly order?: 'backend' | 'program' | 'device';
  /** A copy, unaffected by later writes to the caller's array. */
  upload(source: HostArray): Value;
  /** What a single run reads in place of a host array, so that nothing is copied. It is not freed. Default: an upload, freed after the run. */
  borrow?(source: HostArray): Borrowed;
  /** A copy of the elements, as they are when it is called. */
  read(value: Value, type: TensorType): TypedArray | Promise<TypedArray>;
  /** Called once for each value, after the last array and the last run that use it. */
  free(value: Value): void;
  /** The error with which the device has failed; undefined while it works. Every array is lost then, and every run, upload and compilation throws it. */
  failure?(): Error | undefined;
  /** @throws UnsupportedError for operators beyond the manifest; {@link prepareGraph} does. */
  compile(
    graph: Graph,
    options: Required<CompileOptions>,
  ): HandleProgram<Value, Borrowed> | Promise<HandleProgram<Value, Borrowed>>;
  /** Releases what the backend keeps. Called once, after its programs are disposed. */
  dispose?(): void | Promise<void>;
}
