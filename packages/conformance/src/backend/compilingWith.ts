import type { Backend } from '@flow-matching/tensor';

/** A backend with another way of compiling: for what looks at graphs on their way, or changes what they become. */
export const compilingWith = (backend: Backend, compile: Backend['compile']): Backend => ({
  name: backend.name,
  device: backend.device,
  manifest: backend.manifest,
  array: (source) => backend.array(source),
  compile,
  dispose: () => backend.dispose(),
  [Symbol.asyncDispose]: () => backend.dispose(),
});
