import { BackendError, HandleBackend } from '@flow-matching/tensor';
import { isInstalled, loadBinding, type BindingPackage } from './binding.ts';
import { nativeManifest } from './lowering/index.ts';
import { NativeModel, type RunCounts } from './nativeModel.ts';
import { read, upload } from './nativeTensor.ts';

/** Whether TensorFlow for CPUs is installed. */
export const isTensorflowInstalled = (): boolean => isInstalled('@tensorflow/tfjs-node');

/** Runs graphs as TensorFlow sessions with the native addon of tfjs-node; a run is one native call. Arrays are tensors of the addon. */
export class NativeBackend extends HandleBackend<number> {
  readonly #counts: RunCounts;

  /** @throws BackendError if TensorFlow is not installed or does not load, or finds no GPU although one is requested. */
  constructor(from: BindingPackage = '@tensorflow/tfjs-node') {
    const binding = loadBinding(from);
    const onGpu = binding.isUsingGpuDevice();
    if (from.endsWith('-gpu') && !onGpu) {
      throw new BackendError('TensorFlow finds no GPU.', {
        actual: from,
        expected: 'an NVIDIA GPU with the CUDA 11 and cuDNN 8 that tfjs-node-gpu 4.22 was built for',
        remedy: "Choose the engine 'node'.",
      });
    }
    const counts = { runs: 0 };
    super({
      name: 'tfjs',
      device: `${onGpu ? 'gpu' : 'cpu'}, TensorFlow ${binding.TF_Version}`,
      manifest: nativeManifest,
      memory: binding,
      // The native call is synchronous.
      order: 'device',
      upload: (source) => upload(binding, source),
      read: (tensor, type) => read(binding, tensor, type),
      free: (tensor) => binding.deleteTensor(tensor),
      compile: (graph) => new NativeModel(binding, graph, counts),
    });
    this.#counts = counts;
  }

  /** Number of native calls so far that ran a graph: one for each run of an executable. */
  get nativeRuns(): number {
    return this.#counts.runs;
  }
}
