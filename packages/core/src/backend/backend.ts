import type { Graph } from '../graph/graph.ts';
import type { HostArray } from '../tensor/hostArray.ts';
import type { TypedArray } from '../tensor/dtype.ts';
import type { TensorType } from '../tensor/shape.ts';
import type { Manifest } from './manifest.ts';

/** An array that a backend owns. Handles that were disposed or donated, or whose backend was disposed, throw DisposedError when used. */
export interface BackendArray extends TensorType {
  /** Whether using the handle throws. */
  readonly disposed: boolean;
  /** A copy of the elements, row-major, once every run that writes them is done. */
  read(): Promise<TypedArray>;
  dispose(): void;
}

export type NamedArrays = Readonly<Record<string, BackendArray>>;
/** Inputs of a run: arrays of the backend, or host arrays, which are uploaded for this run only. */
export type RunInputs = Readonly<Record<string, BackendArray | HostArray>>;

export interface CompileOptions {
  /**
   * Pairs of an input and an output of one type. The input's array is donated: the run may write the output over it, and its
   * handle is disposed when the run succeeds. When the run fails the handle stays readable.
   */
  readonly aliases?: readonly (readonly [input: string, output: string])[];
}

/** A compiled graph. Runs of one executable are queued; each returns fresh arrays, which the caller disposes. */
export interface Executable {
  readonly graph: Graph;
  /**
   * @throws GraphError for a missing or unknown input; ShapeError or DTypeError for one of another type; DisposedError for a dead
   *   handle; BackendError where the backend itself fails.
   */
  run(inputs: RunInputs): Promise<Record<string, BackendArray>>;
  /**
   * An executable with some inputs fixed, which the backend may specialise on. The arrays stay the caller's and must stay alive as
   * long as it runs. It is disposed on its own, and works on when this one is disposed. Aliased inputs cannot be bound, nor one input
   * twice.
   *
   * @throws GraphError, ShapeError, DTypeError or DisposedError as run does.
   */
  bind(arrays: NamedArrays): Executable;
  dispose(): Promise<void>;
}

/** A place where graphs run. Third parties add one by implementing this and nothing else. Disposing anything twice is harmless. */
export interface Backend extends AsyncDisposable {
  /** The plugin name: `onnx`, `webgpu`, … */
  readonly name: string;
  /** What it runs on, for people: `cpu, 2 threads`. */
  readonly device: string;
  /** Operators × dtypes it has lowerings for. */
  readonly manifest: Manifest;
  /** Copies host data to the backend. @throws ShapeError where they do not fill their shape. */
  array(source: HostArray): BackendArray;
  /**
   * Compiles. Equal graphs with equal options share one compilation, which is freed with the last of its executables; graphs are equal
   * where their hashes are. {@link SharedCompilations} does that.
   *
   * @throws UnsupportedError naming the first operator without a lowering.
   */
  compile(graph: Graph, options?: CompileOptions): Promise<Executable>;
  /** Waits for the runs under way and frees everything compiled. All arrays and executables are disposed with it. */
  dispose(): Promise<void>;
}
