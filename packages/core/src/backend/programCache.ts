import type { Graph } from '../graph/graph.ts';
import type { Backend, BackendArray, CompileOptions, Executable, NamedArrays, RunInputs } from './backend.ts';
import { DisposedError } from '../errors.ts';
import { compilationKey } from './sharedCompilations.ts';

/** Executables kept for the next caller, unless told otherwise. */
const defaultCapacity = 32;

/**
 * A bounded cache of executables, keyed by the hash of the graph and the compile options. `compile` stands in for that of the backend:
 * disposing what it returns gives it back to the cache. Beyond the capacity the least recently used executable that nobody holds is
 * disposed.
 */
export class ProgramCache implements Pick<Backend, 'compile'> {
  readonly #backend: Pick<Backend, 'compile'>;
  readonly #capacity: number;
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>();
  readonly #disposals = new Set<Promise<unknown>>();

  constructor(backend: Pick<Backend, 'compile'>, capacity = defaultCapacity) {
    this.#backend = backend;
    this.#capacity = capacity;
  }

  /** Executables that it holds, those in use included. */
  get size(): number {
    return this.#entries.size;
  }

  /** As {@link Backend.compile}. Callers at the same time share one compilation; one that fails is forgotten. */
  async compile(graph: Graph, options: CompileOptions = {}): Promise<Executable> {
    const key = compilationKey(graph, options);
    const entry = this.#entries.get(key) ?? { compiled: this.#backend.compile(graph, options), users: 0, bound: [] };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    // Counted before the wait, so that the entry is not dropped in the meantime.
    entry.users++;
    try {
      const executable = await entry.compiled;
      this.#trim();
      return new Lease(executable, graph, {
        bind: (arrays) => this.#bind(entry, executable, graph, arrays),
        release: () => this.#release(entry),
      });
    } catch (error) {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
      throw error;
    }
  }

  /** Binding may be costly, so the executable that was bound last is kept for callers with the same arrays. */
  #bind(entry: Entry, executable: Executable, graph: Graph, arrays: NamedArrays): Executable {
    let bound = entry.bound.find((candidate) => sameArrays(candidate.arrays, arrays));
    if (!bound) {
      bound = { arrays, executable: executable.bind(arrays), users: 0 };
      entry.bound.push(bound);
      this.#dropBound(entry);
    }
    const own = bound;
    own.users++;
    entry.users++;
    return new Lease(own.executable, graph, {
      // Nobody binds in two steps often enough to keep those.
      bind: (more) => own.executable.bind(more),
      release: () => {
        own.users--;
        this.#dropBound(entry);
        return this.#release(entry);
      },
    });
  }

  /** Disposes bound executables that nobody holds, but for the last. */
  #dropBound(entry: Entry): void {
    const last = entry.bound.at(-1);
    const dropped = entry.bound.filter((bound) => bound.users === 0 && bound !== last);
    entry.bound = entry.bound.filter((bound) => !dropped.includes(bound));
    for (const { executable } of dropped) this.#dispose(executable.dispose());
  }

  /** Ends when what had to go for it is gone. */
  async #release(entry: Entry): Promise<void> {
    entry.users--;
    this.#trim();
    await Promise.allSettled(this.#disposals);
  }

  #trim(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= this.#capacity) return;
      if (entry.users > 0) continue;
      this.#entries.delete(key);
      this.#dispose(disposeEntry(entry));
    }
  }

  /** What fails to be disposed is told by {@link dispose}. */
  #dispose(disposal: Promise<unknown>): void {
    this.#disposals.add(disposal);
    void disposal.then(
      () => this.#disposals.delete(disposal),
      () => undefined,
    );
  }

  /** Disposes all executables, those in use included: they end the runs they have and take no more. */
  async dispose(): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all([...entries.map(disposeEntry), ...this.#disposals]);
  }
}

interface Entry {
  readonly compiled: Promise<Executable>;
  /** Leases of the executable and of what was bound of it. */
  users: number;
  bound: Bound[];
}

interface Bound {
  readonly arrays: NamedArrays;
  readonly executable: Executable;
  users: number;
}

async function disposeEntry({ compiled, bound }: Entry): Promise<void> {
  await Promise.all(bound.map(({ executable }) => executable.dispose()));
  const executable = await compiled.catch(() => undefined);
  await executable?.dispose();
}

function sameArrays(some: NamedArrays, others: NamedArrays): boolean {
  const names = Object.keys(some);
  return names.length === Object.keys(others).length && names.every((name) => some[name] === others[name]);
}

interface LeaseHooks {
  bind(arrays: NamedArrays): Executable;
  release(): Promise<void>;
}

/** An executable on loan. */
class Lease implements Executable {
  readonly graph: Graph;
  readonly #executable: Executable;
  readonly #hooks: LeaseHooks;
  #released = false;

  constructor(executable: Executable, graph: Graph, hooks: LeaseHooks) {
    this.graph = graph;
    this.#executable = executable;
    this.#hooks = hooks;
  }

  async run(inputs: RunInputs): Promise<Record<string, BackendArray>> {
    this.#checkAlive();
    return this.#executable.run(inputs);
  }

  bind(arrays: NamedArrays): Executable {
    this.#checkAlive();
    return this.#hooks.bind(arrays);
  }

  async dispose(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await this.#hooks.release();
  }

  #checkAlive(): void {
    if (this.#released) throw new DisposedError('The executable was disposed.', { expected: 'a live executable' });
  }
}
