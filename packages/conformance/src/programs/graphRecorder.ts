import type { Backend, Graph } from '@flow-matching/core';

/** A backend that keeps the graphs which it is given to compile. */
export function graphRecorder(backend: Backend): { readonly backend: Backend; readonly graphs: readonly Graph[] } {
  const graphs: Graph[] = [];
  const recording: Backend = {
    name: backend.name,
    device: backend.device,
    manifest: backend.manifest,
    array: (source) => backend.array(source),
    compile(graph, options) {
      graphs.push(graph);
      return backend.compile(graph, options);
    },
    dispose: () => backend.dispose(),
    [Symbol.asyncDispose]: () => backend.dispose(),
  };
  return { backend: recording, graphs };
}
