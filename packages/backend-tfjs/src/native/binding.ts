import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BackendError } from '@flow-matching/tensor';

/** What the native addon of tfjs-node offers, as far as it is used. Tensors and models go by numbers. */
export interface Binding {
  createTensor(shape: number[], dtype: number, data: Float32Array | Int32Array | Uint8Array): number;
  deleteTensor(tensor: number): void;
  tensorDataSync(tensor: number): Float32Array | Int32Array | Uint8Array;
  loadSavedModel(directory: string, tags: string): number;
  deleteSavedModel(model: number): void;
  /** Names of nodes are joined by commas. */
  runSavedModel(model: number, tensors: number[], inputs: string, outputs: string): { readonly id: number }[];
  getNumOfTensors(): number;
  isUsingGpuDevice(): boolean;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_BOOL: number;
  readonly TF_Version: string;
}

/** Packages that bring the addon. */
export type BindingPackage = '@tensorflow/tfjs-node' | '@tensorflow/tfjs-node-gpu';

const require = createRequire(import.meta.url);

/** How the addon of each package comes about. */
const setup: Readonly<Record<BindingPackage, string>> = {
  '@tensorflow/tfjs-node':
    'Run npm rebuild @tensorflow/tfjs-node --ignore-scripts=false, or in this repository npm run setup:tensorflow.',
  '@tensorflow/tfjs-node-gpu': 'Run npm rebuild @tensorflow/tfjs-node-gpu --ignore-scripts=false.',
};

/**
 * Loads TensorFlow. The addon is loaded by itself: the package's JavaScript, with engine and kernels of its own, is not needed.
 *
 * @throws BackendError where the package, its addon or a library is missing.
 */
export function loadBinding(name: BindingPackage): Binding {
  const addon = addonOf(name);
  if (!existsSync(addon)) {
    throw new BackendError(`${name} is installed without its native addon.`, {
      actual: addon,
      expected: 'a file',
      remedy: setup[name],
    });
  }
  // TensorFlow tells of its processor and its registrations; errors come as exceptions.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  // Memory of a GPU is taken as it is needed, not all of it at once, unless the user has it otherwise.
  if (name === '@tensorflow/tfjs-node-gpu') process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
  return loadAddon(addon, name);
}

/** @throws BackendError naming the library that is missing, or whatever else keeps the addon from being loaded. */
export function loadAddon(addon: string, name: BindingPackage): Binding {
  try {
    return require(addon) as Binding;
  } catch (cause) {
    const reason = (cause as Error).message;
    const missing = /(\S+): cannot open shared object file/.exec(reason)?.[1];
    throw new BackendError(`${name} does not load: ${missing ? `the library ${missing} is missing` : reason}.`, {
      actual: addon,
      expected: 'an addon for this machine',
      remedy: setup[name],
      cause,
    });
  }
}

/** Whether a package is there with its addon. */
export function isInstalled(name: BindingPackage): boolean {
  try {
    return existsSync(addonOf(name));
  } catch {
    return false;
  }
}

const addonOf = (name: BindingPackage): string => join(packageDirectory(name), 'lib', 'napi-v8', 'tfjs_binding.node');

function packageDirectory(name: BindingPackage): string {
  try {
    return dirname(require.resolve(`${name}/package.json`));
  } catch (cause) {
    throw new BackendError(`${name} is not installed.`, {
      actual: name,
      expected: 'the package',
      remedy: `Run npm install ${name}.`,
      cause,
    });
  }
}
