import type { Graph } from '../graph/graph.ts';
import type { DType } from '../tensor/dtype.ts';
import type { HostArray } from '../tensor/hostArray.ts';
import type { Backend, BackendArray, CompileOptions, Executable } from './backend.ts';
import { BackendLife } from './backendLife.ts';
import { Compilation } from './compilation.ts';
import type { HandleComputation } from './handleComputation.ts';
import { HandleExecutable, type HandleContext } from './handleExecutable.ts';
import { dtypesOf, type Manifest } from './manifest.ts';
import { OwnedArray } from './ownedArray.ts';
import { checkAliases, checkElements, checkHeld } from './runInputs.ts';
import { RunQueue } from './runQueue.ts';
import { SharedCompilations } from './sharedCompilations.ts';
import { SharedValue } from './sharedValue.ts';

/**
 * A backend over values in any memory. It implements handles, donation, binding, checks, the order of runs, shared compilations and
 * disposal; the computation implements values and programs on them.
 */
export const handleBackend = <Value, Borrowed = Value>(computation: HandleComputation<Value, Borrowed>): Backend =>
  new HandleBackend(computation);

/** {@link handleBackend} as a class, for backends with members of their own. */
export class HandleBackend<Value, Borrowed = Value> implements Backend {
  readonly name: string;
  readonly device: string;
  readonly manifest: Manifest;
  readonly #held: ReadonlySet<DType>;
  readonly #context: HandleContext<Value, Borrowed>;
  readonly #compilations = new SharedCompilations<Compilation<Value, Borrowed>>((compiled) => compiled.dispose());
  #disposal: Promise<void> | undefined;

  constructor(computation: HandleComputation<Value, Borrowed>) {
    this.name = computation.name;
    this.device = computation.device;
    this.manifest = computation.manifest;
    this.#held = dtypesOf(computation.manifest);
    const { order = 'backend' } = computation;
    const common = new RunQueue();
    this.#context = {
      computation,
      life: new BackendLife(computation.name, () => computation.failure?.()),
      queue: () => (order === 'backend' ? common : new RunQueue({ atOnce: order === 'device' })),
    };
  }

  array(source: HostArray): BackendArray {
    const { computation, life } = this.#context;
    life.check();
    checkElements(source);
    checkHeld(source, this.name, this.#held);
    return new OwnedArray(new SharedValue(computation.upload(source), computation), source, this.#context);
  }

  compile(graph: Graph, options?: CompileOptions): Promise<Executable> {
    return this.compileHandle(graph, options);
  }

  /** {@link compile}, for backends that add members to their executables. */
  protected async compileHandle(
    graph: Graph,
    { aliases = [] }: CompileOptions = {},
  ): Promise<HandleExecutable<Value, Borrowed>> {
    const { computation, life, queue } = this.#context;
    life.check();
    checkAliases(graph, { aliases });
    const hold = await this.#compilations.acquire(
      graph,
      { aliases },
      async () => new Compilation(await computation.compile(graph, { aliases }), queue()),
    );
    return new HandleExecutable({ graph, aliases, hold, bound: {} }, this.#context);
  }

  async dispose(): Promise<void> {
    this.#context.life.end();
    await (this.#disposal ??= this.#release());
  }

  async #release(): Promise<void> {
    await this.#compilations.dispose();
    await this.#context.computation.dispose?.();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
