import type { Backend, Graph } from '@flow-matching/tensor';
import { compilingWith } from '../backend/compilingWith.ts';

/** A backend that records the graphs that it compiles. */
export function graphRecorder(backend: Backend): { readonly backend: Backend; readonly graphs: readonly Graph[] } {
  const graphs: Graph[] = [];
  const recording = compilingWith(backend, (graph, options) => {
    graphs.push(graph);
    return backend.compile(graph, options);
  });
  return { backend: recording, graphs };
}
