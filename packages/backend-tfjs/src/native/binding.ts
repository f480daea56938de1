import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BackendError } from '@flow-matching/tensor';

/** The part of tfjs-node's native addon used here. Tensors and models are identified by numbers. */
export interface Binding {
  createTensor(shape: number[], dtype: number, data: Float32Array | Int32Array | Uint8Array): number;
  deleteTensor(tensor: number): void;
  tensorDataSync(tensor: number): Float32Array | Int32Array | Uint8Array;
  loadSavedModel(directory: string, tags: string): number;
  deleteSavedModel(model: number): void;
  /** Names of nodes are separated by commas. */
  runSavedModel(model: number, tensors: number[], inputs: string, outputs: string): { readonly id: number }[];
  getNumOfTensors(): number;
  isUsingGpuDevice(): boolean;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_BOOL: number;
  readonly TF_Version: string;
}

/** Packages with the addon. */
export type BindingPackage = '@tensorflow/tfjs-node' | '@tensorflow/tfjs-node-gpu';

const require = createRequire(import.meta.url);

/** How to set up the addon of each package. */
const setup: Readonly<Record<BindingPackage, string>> = {
  '@tensorflow/tfjs-node':
    'Run npm rebuild @tensorflow/tfjs-node --ignore-scripts=false, or in this repository npm run setup:tensorflow.',
  '@tensorflow/tfjs-node-gpu': 'Run npm rebuild @tensorflow/tfjs-node-gpu --ignore-scripts=false.',
};

/**
 * Loads TensorFlow. Only the addon is loaded, not the package's JavaScript with its own engine and kernels.
 *
 * @throws BackendError if the package, its addon or a library is missing.
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
  // Suppresses TensorFlow's messages about the processor and registrations; errors are thrown as exceptions.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  // GPU memory is allocated as needed, not all at once, unless the user has set this differently.
  if (name === '@tensorflow/tfjs-node-gpu') process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
  return loadAddon(addon, name);
}

/** @throws BackendError naming the missing library, or another reason why the addon cannot be loaded. */
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

/** Whether a package is installed with its addon. */
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
