import type { Backend } from '@flow-matching/tensor';

/** A backend with a different `compile`, for wrappers that inspect graphs or change the compiled result. */
export const compilingWith = (backend: Backend, compile: Backend['compile']): Backend => ({
  name: backend.name,
  device: backend.device,
  manifest: backend.manifest,
  array: (source) => backend.array(source),
  compile,
  dispose: () => backend.dispose(),
  [Symbol.asyncDispose]: () => backend.dispose(),
});
