import type { Backend, Executable } from '@flow-matching/tensor';

export interface Compilations {
  /** Calls of `compile`. */
  made: number;
  /** Executables not yet disposed, bound ones left out. */
  live: number;
  /** Calls of `bind`. */
  bound: number;
  /** Runs of all executables. */
  runs: number;
}

/** A backend that counts what is asked of another one. */
export function countingBackend(backend: Backend): { backend: Backend; counts: Compilations } {
  const counts: Compilations = { made: 0, live: 0, bound: 0, runs: 0 };
  const counted = (executable: Executable, disposed: () => void): Executable => ({
    graph: executable.graph,
    run(inputs) {
      counts.runs++;
      return executable.run(inputs);
    },
    bind(arrays) {
      counts.bound++;
      return counted(executable.bind(arrays), () => undefined);
    },
    dispose() {
      disposed();
      return executable.dispose();
    },
  });
  return {
    counts,
    backend: {
      name: backend.name,
      device: backend.device,
      manifest: backend.manifest,
      array: (source) => backend.array(source),
      async compile(graph, options) {
        counts.made++;
        counts.live++;
        return counted(await backend.compile(graph, options), () => counts.live--);
      },
      dispose: () => backend.dispose(),
      [Symbol.asyncDispose]: () => backend.dispose(),
    },
  };
}
