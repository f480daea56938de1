import { BackendError } from '@flow-matching/tensor';
import { findBackendFactory, type KernelBackend } from '@tensorflow/tfjs-core';

/** Loads a package of TensorFlow.js. @throws BackendError naming the command that installs it. */
export async function importTfjs<Module>(name: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    throw new BackendError(`${name} does not load: ${(cause as Error).message}.`, {
      actual: name,
      expected: 'the package',
      remedy: `Run npm install ${name}.`,
      cause,
    });
  }
}

/** A new instance of an engine registered by a package, separate from the one that tfjs itself uses. */
export async function makeRegistered(name: string): Promise<KernelBackend> {
  const make = findBackendFactory(name);
  try {
    if (make) return await make();
  } catch (cause) {
    throw new BackendError(`TensorFlow.js's ${name} engine does not start: ${(cause as Error).message}`, {
      actual: name,
      expected: 'an engine that starts',
      cause,
    });
  }
  throw new BackendError(`TensorFlow.js has no ${name} engine here.`, {
    actual: name,
    expected: 'an engine for this environment',
  });
}
