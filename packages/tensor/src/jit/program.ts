import type { BackendArray, Executable } from '../backend/backend.ts';
import type { Graph } from '../graph/graph.ts';
import type { Tensor } from '../graph/tensor.ts';
import type { IsTree, MapTree, Tree } from '../graph/tree.ts';
import type { HostArray } from '../tensor/hostArray.ts';
import type { TensorType } from '../tensor/shape.ts';
import type { TreePorts } from './treePorts.ts';

/** Arrays nested like the types of a program's argument. Host arrays are uploaded for one run. */
export type ArgumentArrays<Types> = MapTree<Types, TensorType, BackendArray | HostArray>;

/** Arrays nested like the result of a program's formula. */
export type ResultArrays<Result> = MapTree<Result, Tensor, BackendArray>;

/** Some of the arrays of an argument, to bind. */
export type SomeArrays<Types> =
  IsTree<Types> extends true
    ? Tree<BackendArray>
    : Types extends TensorType
      ? BackendArray
      : Types extends undefined
        ? undefined
        : { [Key in keyof Types]?: SomeArrays<Types[Key]> | undefined };

/** The types of an argument without the leaves that are bound. */
export type Unbound<Types, Bound> =
  IsTree<Types> extends true
    ? Tree<TensorType>
    : {
        [
          Key in keyof Types as Key extends keyof Bound
            ? IsWhole<Types[Key], Bound[Key]> extends true
              ? never
              : Key
            : Key
        ]: Key extends keyof Bound ? Unbound<Types[Key], Bound[Key]> : Types[Key];
      };

/** Whether all leaves of a part are bound, as far as its type tells. */
type IsWhole<Types, Bound> = Bound extends MapTree<Types, TensorType, BackendArray> ? true : false;

/** A compiled formula over trees. Runs are queued; each returns new arrays, which the caller disposes. */
export class Program<Types, Result> implements AsyncDisposable {
  readonly #executable: Executable;
  readonly #argument: TreePorts;
  readonly #result: TreePorts;

  constructor(executable: Executable, argument: TreePorts, result: TreePorts) {
    this.#executable = executable;
    this.#argument = argument;
    this.#result = result;
  }

  get graph(): Graph {
    return this.#executable.graph;
  }

  /**
   * @throws GraphError for a missing or unknown leaf, or another nesting than that of the types; otherwise as {@link
   *   Executable.run} does.
   */
  async run(argument: ArgumentArrays<Types>): Promise<ResultArrays<Result>> {
    const inputs = this.#argument.fill<BackendArray | HostArray>(argument);
    return this.#result.build(await this.#executable.run(inputs)) as ResultArrays<Result>;
  }

  /**
   * A program with a part of the argument fixed, which the backend may specialize on; its runs take the rest. The arrays still
   * belong to the caller and must not be disposed before it. The new program is disposed separately, and keeps working when this
   * one is disposed. Donated arrays cannot be bound.
   *
   * @throws GraphError, ShapeError, DTypeError or DisposedError as run does.
   */
  bind<Bound extends SomeArrays<Types>>(arrays: Bound): Program<Unbound<Types, Bound>, Result> {
    const bound = this.#argument.fill<BackendArray>(arrays, { partial: true });
    const rest = this.#argument.bound(Object.keys(bound));
    return new Program<Unbound<Types, Bound>, Result>(this.#executable.bind(bound), rest, this.#result);
  }

  dispose(): Promise<void> {
    return this.#executable.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
