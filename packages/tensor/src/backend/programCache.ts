import type { Graph } from '../graph/graph.ts';
import type { Backend, BackendArray, CompileOptions, Executable, NamedArrays, RunInputs } from './backend.ts';
import { DisposedError } from '../errors.ts';
import { compilationKey } from './sharedCompilations.ts';

/** Default number of executables that are kept. */
const defaultCapacity = 32;

/**
 * A bounded cache of executables, keyed by the hash of the graph and the compile options. `compile` replaces that of the
 * backend: disposing its result returns the executable to the cache. Beyond the capacity, the least recently used executable
 * that is not in use is disposed.
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

  /** Number of executables in the cache, including those in use. */
  get size(): number {
    return this.#entries.size;
  }

  /** As {@link Backend.compile}. Concurrent callers share one compilation; a failed one is not cached. */
  async compile(graph: Graph, options: CompileOptions = {}): Promise<Executable> {
    const key = compilationKey(graph, options);
    const entry = this.#entries.get(key) ?? { compiled: this.#backend.compile(graph, options), users: 0, bound: [] };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    // Counted before the wait, so that the entry is not dropped meanwhile.
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

  /** Binding may be expensive, so the most recently bound executable is kept for callers with the same arrays. */
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
      // Binding in two steps is too rare to cache.
      bind: (more) => own.executable.bind(more),
      release: () => {
        own.users--;
        this.#dropBound(entry);
        return this.#release(entry);
      },
    });
  }

  /** Disposes bound executables that are not in use, except the most recent. */
  #dropBound(entry: Entry): void {
    const last = entry.bound.at(-1);
    const dropped = entry.bound.filter((bound) => bound.users === 0 && bound !== last);
    entry.bound = entry.bound.filter((bound) => !dropped.includes(bound));
    for (const { executable } of dropped) this.#dispose(executable.dispose());
  }

  /** Resolves when everything evicted by this release is disposed. */
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

  /** Errors of the disposal are reported by {@link dispose}. */
  #dispose(disposal: Promise<unknown>): void {
    this.#disposals.add(disposal);
    void disposal.then(
      () => this.#disposals.delete(disposal),
      () => undefined,
    );
  }

  /** Disposes all executables, including those in use: they finish their pending runs and accept no more. */
  async dispose(): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all([...entries.map(disposeEntry), ...this.#disposals]);
  }
}

interface Entry {
  readonly compiled: Promise<Executable>;
  /** Leases of the executable and of those bound from it. */
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
    if (this.#released)
      throw new DisposedError('The executable was disposed.', { expected: 'an executable that is not disposed' });
  }
}
