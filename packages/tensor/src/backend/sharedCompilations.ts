import type { Graph } from '../graph/graph.ts';
import type { CompileOptions } from './backend.ts';

/** A key that is equal for graphs and options that compile to the same program. */
export const compilationKey = (graph: Graph, { aliases = [] }: CompileOptions = {}): string =>
  `${graph.hash} ${JSON.stringify(aliases.map((alias) => JSON.stringify(alias)).toSorted())}`;

/** A reference to a compilation, which is kept as long as references exist. */
export interface CompilationHold<Compiled> {
  readonly value: Compiled;
  /** Another reference to the same compilation, for an executable made from this one. */
  again(): CompilationHold<Compiled>;
  /** Releases this reference; releasing the last one frees the compilation. Repeated calls are harmless. */
  release(): Promise<void>;
}

/**
 * The compilations of a backend: equal graphs with equal options share one, which is reference-counted. Every backend compiles
 * through this class.
 */
export class SharedCompilations<Compiled> {
  readonly #entries = new Map<string, Entry<Compiled>>();
  readonly #free: (compiled: Compiled) => void | Promise<void>;

  /** @param free frees a compilation when its last reference is released */
  constructor(free: (compiled: Compiled) => void | Promise<void>) {
    this.#free = free;
  }

  /** A reference to the compilation of a graph, which `compile` creates if there is none. Concurrent callers share it too. */
  async acquire(
    graph: Graph,
    options: CompileOptions,
    compile: () => Compiled | Promise<Compiled>,
  ): Promise<CompilationHold<Compiled>> {
    const key = compilationKey(graph, options);
    let entry = this.#entries.get(key);
    if (!entry) {
      const started = new Entry((async () => compile())(), this.#free, () => {
        if (this.#entries.get(key) === started) this.#entries.delete(key);
      });
      entry = started;
      this.#entries.set(key, entry);
    }
    return entry.hold();
  }

  /** Frees every compilation, even if references are left. */
  async dispose(): Promise<void> {
    await Promise.all([...this.#entries.values()].map((entry) => entry.free()));
  }
}

class Entry<Compiled> {
  readonly #compiled: Promise<Compiled>;
  readonly #freeCompiled: (compiled: Compiled) => void | Promise<void>;
  readonly #forget: () => void;
  #holders = 0;
  #freed: Promise<void> | undefined;

  constructor(
    compiled: Promise<Compiled>,
    freeCompiled: (compiled: Compiled) => void | Promise<void>,
    forget: () => void,
  ) {
    this.#compiled = compiled;
    this.#freeCompiled = freeCompiled;
    this.#forget = forget;
  }

  async hold(): Promise<CompilationHold<Compiled>> {
    // Counted before the wait, so that a release by another holder meanwhile does not free it.
    this.#holders++;
    try {
      return this.#claim(await this.#compiled);
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  /** A reference that has been counted. */
  #claim(value: Compiled): CompilationHold<Compiled> {
    let released: Promise<void> | undefined;
    return {
      value,
      again: () => {
        this.#holders++;
        return this.#claim(value);
      },
      release: () => (released ??= --this.#holders === 0 ? this.free() : Promise.resolve()),
    };
  }

  free(): Promise<void> {
    this.#forget();
    return (this.#freed ??= this.#compiled.then(this.#freeCompiled, () => {
      // A failed compilation has nothing to free.
    }));
  }
}
