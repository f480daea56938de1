import type { Graph } from '../graph/graph.ts';
import type { HostArray } from '../tensor/hostArray.ts';
import type { TypedArray } from '../tensor/dtype.ts';
import type { TensorType } from '../tensor/shape.ts';
import type { Manifest } from './manifest.ts';

/**
 * An array that a backend owns. It is in one of these states:
 *
 * - live: `read` and runs use it.
 * - disposed: after `dispose()` of the array or of its backend. Using it throws a DisposedError.
 * - donated: from the request of a run with an aliased input on. Using it throws a DisposedError. If the run is refused or fails, the
 *   array is live again, unless it is lost.
 * - lost: the device has failed, or a run failed after it had begun to overwrite the array. Using it throws a LostError.
 *
 * Arrays that a failed run only reads stay live. Disposing an array in any state is harmless.
 */
export interface BackendArray extends TensorType {
  /** Whether the handle was disposed or donated; using it then throws. */
  readonly disposed: boolean;
  /** A copy of the elements, row-major. Waits for every run that writes them. */
  read(): Promise<TypedArray>;
  dispose(): void;
}

export type NamedArrays = Readonly<Record<string, BackendArray>>;
/** Inputs of a run: arrays of the backend, or host arrays, which are uploaded for this run only. */
export type RunInputs = Readonly<Record<string, BackendArray | HostArray>>;

export interface CompileOptions {
  /**
   * Pairs of an input and an output of one type. The input's array is donated: the run may overwrite it with the output, and
   * its handle is disposed when the run succeeds. If the run fails, the array is live again, or lost if the run had begun to
   * overwrite it ({@link BackendArray}).
   */
  readonly aliases?: readonly (readonly [input: string, output: string])[];
}

/** A compiled graph. Runs of one executable are queued; each returns new arrays, which the caller disposes. */
export interface Executable {
  readonly graph: Graph;
  /**
   * @throws GraphError for a missing or unknown input; ShapeError or DTypeError for an input of the wrong type; DisposedError
   *   for a disposed handle; LostError for a lost one, or if the run fails after it has begun to overwrite donated arrays;
   *   BackendError if the backend itself fails.
   */
  run(inputs: RunInputs): Promise<Record<string, BackendArray>>;
  /**
   * An executable with some inputs fixed, which the backend may specialize on. The arrays still belong to the caller and must
   * not be disposed before it. The new executable is disposed separately, and keeps working when this one is disposed. Aliased
   * inputs cannot be bound, and no input can be bound twice.
   *
   * @throws GraphError, ShapeError, DTypeError or DisposedError as run does.
   */
  bind(arrays: NamedArrays): Executable;
  dispose(): Promise<void>;
}

/** A place where graphs run. Third parties add a backend by implementing only this interface. Disposing anything twice is harmless. */
export interface Backend extends AsyncDisposable {
  /** The plugin name: `onnx`, `webgpu`, … */
  readonly name: string;
  /** What it runs on, for display: `cpu, 2 threads`. */
  readonly device: string;
  /** The operators and dtypes that the backend has lowerings for. */
  readonly manifest: Manifest;
  /** Copies host data to the backend. @throws ShapeError if the data do not fill their shape. */
  array(source: HostArray): BackendArray;
  /**
   * Compiles a graph. Equal graphs (by their hash) with equal options share one compilation, which is freed with the last of
   * its executables. {@link SharedCompilations} implements this.
   *
   * @throws UnsupportedError naming the first operator without a lowering.
   */
  compile(graph: Graph, options?: CompileOptions): Promise<Executable>;
  /** Waits for active runs and frees everything compiled. All arrays and executables are disposed with the backend. */
  dispose(): Promise<void>;
}
