import {
  allocate,
  extractGuard,
  isHostArray,
  prepareGraph,
  sizeOf,
  type Backend,
  type BackendArray,
  type CompileOptions,
  type Executable,
  type Graph,
  type HostArray,
  type Manifest,
  type RunInputs,
  type TypedArray,
} from '@flow-matching/tensor';
import type { InferenceSession, Tensor, TensorConstructor } from 'onnxruntime-common';
import { fuse } from '../../packages/backend-onnx/src/fusion/index.ts';
import { manifest } from '../../packages/backend-onnx/src/lowering/index.ts';
import { encodeGraph, type EncodedGraph } from '../../packages/backend-onnx/src/model/encodeGraph.ts';
import { runtimeType } from '../../packages/backend-onnx/src/model/elementType.ts';
import { loadRuntime } from '../../packages/backend-onnx/src/runtime.ts';

/** Outputs of at most so many elements come to the host; what is larger stays in buffers of the GPU and feeds the next run. */
const mostRead = 16;

/**
 * ONNX Runtime's WebGPU provider at its best, with the graphs of our ONNX backend: that backend keeps its arrays on the host, this one leaves
 * them on the device. Only small results can be read, and a step is never dropped.
 */
export class OnnxDeviceBackend implements Backend {
  readonly name = 'onnxruntime-node (webgpu)';
  readonly device: string;
  readonly manifest: Manifest = manifest;
  readonly #tensor: TensorConstructor;
  readonly #create: typeof InferenceSession.create;

  static async create(device: string): Promise<OnnxDeviceBackend> {
    const { Tensor, InferenceSession } = await loadRuntime();
    return new OnnxDeviceBackend(device, Tensor, InferenceSession.create.bind(InferenceSession));
  }

  private constructor(device: string, tensor: TensorConstructor, create: typeof InferenceSession.create) {
    this.device = device;
    this.#tensor = tensor;
    this.#create = create;
  }

  array(source: HostArray): DeviceArray {
    return new DeviceArray(this.#uploaded(source), source);
  }

  #uploaded({ data, shape, dtype }: HostArray): Tensor {
    return new this.#tensor(runtimeType[dtype], data as never, shape);
  }

  async compile(source: Graph, { aliases = [] }: CompileOptions = {}): Promise<Executable> {
    const { graph, randomness } = prepareGraph(extractGuard(source, aliases).graph, manifest, 'onnx');
    const encoded = encodeGraph(fuse(graph));
    const session = await this.#create(encoded.bytes, {
      executionProviders: ['webgpu'],
      preferredOutputLocation: outputLocations(encoded),
      logSeverityLevel: 3,
    });
    const run = async (inputs: RunInputs): Promise<Record<string, BackendArray>> => {
      const drawn: Readonly<Record<string, HostArray>> =
        randomness?.draw(Object.fromEntries(randomness.dependsOn.map((name) => [name, inputs[name] as HostArray]))) ??
        {};
      const feeds = encoded.inputs.map(({ name, value }) => {
        const given = drawn[name] ?? inputs[name];
        return [value, isHostArray(given) ? this.#uploaded(given) : (given as DeviceArray).tensor] as const;
      });
      const results = await session.run(Object.fromEntries(feeds));
      for (const [name] of aliases) (inputs[name] as DeviceArray).dispose();
      return Object.fromEntries(
        source.outputs.map(({ name, tensor }) => {
          const { value } = encoded.outputs.find((output) => output.name === name)!;
          return [name, new DeviceArray(results[value], tensor)];
        }),
      );
    };
    return {
      graph: source,
      run,
      bind: () => {
        throw new Error('Nothing that is timed binds.');
      },
      dispose: () => session.release(),
    };
  }

  async dispose(): Promise<void> {}

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

const outputLocations = ({ outputs }: EncodedGraph): Record<string, 'cpu' | 'gpu-buffer'> =>
  Object.fromEntries(outputs.map(({ value, tensor }) => [value, tensor.size <= mostRead ? 'cpu' : 'gpu-buffer']));

/** A tensor of ONNX Runtime's, on either side. */
class DeviceArray implements BackendArray {
  readonly tensor: Tensor;
  readonly shape: BackendArray['shape'];
  readonly dtype: BackendArray['dtype'];
  disposed = false;

  constructor(tensor: Tensor, { shape, dtype }: Pick<BackendArray, 'shape' | 'dtype'>) {
    this.tensor = tensor;
    this.shape = shape;
    this.dtype = dtype;
  }

  async read(): Promise<TypedArray> {
    // Reading what is on the device ends the process.
    if (this.tensor.location !== 'cpu') throw new Error('The array is on the device.');
    const copy = allocate(this.dtype, sizeOf(this.shape));
    copy.set(this.tensor.data as TypedArray);
    return copy;
  }

  dispose(): void {
    if (!this.disposed && this.tensor.location === 'gpu-buffer') this.tensor.dispose();
    this.disposed = true;
  }
}
