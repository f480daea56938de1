import type { Graph } from '../graph/graph.ts';
import type { CompileOptions } from './backend.ts';

/** The same for graphs and options that compile to the same program. */
export const compilationKey = (graph: Graph, { aliases = [] }: CompileOptions = {}): string =>
  `${graph.hash} ${JSON.stringify(aliases.map((alias) => JSON.stringify(alias)).toSorted())}`;

/** A claim on a compilation, which stays as long as somebody has one. */
export interface CompilationHold<Compiled> {
  readonly value: Compiled;
  /** Another claim on the same compilation, for an executable made from this one. */
  again(): CompilationHold<Compiled>;
  /** Gives this claim back; the last one frees the compilation. Harmless when repeated. */
  release(): Promise<void>;
}

/**
 * What a backend has compiled: equal graphs with equal options share one compilation, counted by its holders. Every backend compiles
 * through this.
 */
export class SharedCompilations<Compiled> {
  readonly #entries = new Map<string, Entry<Compiled>>();
  readonly #free: (compiled: Compiled) => void | Promise<void>;

  /** @param free gives back what a compilation holds, once its last holder is gone */
  constructor(free: (compiled: Compiled) => void | Promise<void>) {
    this.#free = free;
  }

  /** A claim on the compilation of a graph, which `compile` makes where there is none. Callers at the same time share it too. */
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

  /** Frees every compilation, whoever still holds it. */
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
    // Counted before the wait, so that another holder's release in the meantime does not free it.
    this.#holders++;
    try {
      return this.#claim(await this.#compiled);
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  /** A claim that has been counted. */
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
      // What did not compile has nothing to free.
    }));
  }
}
