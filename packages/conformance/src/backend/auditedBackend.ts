import { prepareGraph, UnsupportedError, type Backend, type Graph } from '@flow-matching/tensor';
import { compilingWith } from './compilingWith.ts';

/** A graph needs what the manifest does not declare: no fault of the backend's. */
export class UndeclaredError extends UnsupportedError {}

/**
 * The backend behind a gate that knows its manifest: graphs beyond it are refused here, with an UndeclaredError, so that an
 * UnsupportedError of the backend's own means that it refused what it declares.
 */
export const auditedBackend = (backend: Backend): Backend =>
  compilingWith(backend, (graph, options) => {
    checkDeclared(graph, backend);
    return backend.compile(graph, options);
  });

/** @throws UndeclaredError */
function checkDeclared(graph: Graph, { manifest, name }: Backend): void {
  try {
    // As compilation has it: draws without a kernel are the host's, composites without one are what they are made of.
    prepareGraph(graph, manifest, name);
  } catch (cause) {
    if (!(cause instanceof UnsupportedError)) throw cause;
    throw new UndeclaredError(`The manifest does not declare ${String(cause.actual)}.`, {
      actual: cause.actual,
      cause,
    });
  }
}
