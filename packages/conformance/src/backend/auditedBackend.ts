import {
  prepareGraph,
  UnsupportedError,
  type Backend,
  type CompileOptions,
  type Executable,
  type Graph,
} from '@flow-matching/core';

/** A graph needs what the manifest does not declare: no fault of the backend's. */
export class UndeclaredError extends UnsupportedError {}

/**
 * The backend behind a gate that knows its manifest: graphs beyond it are refused here, with an UndeclaredError, so that an
 * UnsupportedError of the backend's own means that it refused what it declares.
 */
export function auditedBackend(backend: Backend): Backend {
  return {
    name: backend.name,
    device: backend.device,
    manifest: backend.manifest,
    array: (source) => backend.array(source),
    compile(graph: Graph, options?: CompileOptions): Promise<Executable> {
      checkDeclared(graph, backend);
      return backend.compile(graph, options);
    },
    dispose: () => backend.dispose(),
    [Symbol.asyncDispose]: () => backend.dispose(),
  };
}

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
