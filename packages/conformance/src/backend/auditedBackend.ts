import { prepareGraph, UnsupportedError, type Backend, type Graph } from '@flow-matching/tensor';
import { compilingWith } from './compilingWith.ts';

/** A graph needs something that the manifest does not declare, which is not the backend's fault. */
export class UndeclaredError extends UnsupportedError {}

/**
 * Wraps a backend and refuses graphs beyond its manifest with an UndeclaredError, so that an UnsupportedError from the backend
 * itself means that it refused something it declares.
 */
export const auditedBackend = (backend: Backend): Backend =>
  compilingWith(backend, (graph, options) => {
    checkDeclared(graph, backend);
    return backend.compile(graph, options);
  });

/** @throws UndeclaredError */
function checkDeclared(graph: Graph, { manifest, name }: Backend): void {
  try {
    // As in compilation: the host makes draws without a kernel, and composites without one are decomposed.
    prepareGraph(graph, manifest, name);
  } catch (cause) {
    if (!(cause instanceof UnsupportedError)) throw cause;
    throw new UndeclaredError(`The manifest does not declare ${String(cause.actual)}.`, {
      actual: cause.actual,
      cause,
    });
  }
}
