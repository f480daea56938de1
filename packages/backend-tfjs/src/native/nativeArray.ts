import {
  allocate,
  DisposedError,
  sizeOf,
  toStorage,
  type BackendArray,
  type DType,
  type HostArray,
  type Shape,
  type TensorType,
  type TypedArray,
} from '@flow-matching/tensor';
import { heldShape } from '../heldShape.ts';
import type { Binding } from './binding.ts';
import type { NativeLife } from './nativeLife.ts';

/** An array in TensorFlow's memory. */
export class NativeArray implements BackendArray {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly #binding: Binding;
  readonly #life: NativeLife;
  #tensor: number | undefined;
  #donated = false;

  /** Takes over a tensor of the binding. */
  constructor(binding: Binding, tensor: number, { shape, dtype }: TensorType, life: NativeLife) {
    this.#life = life;
    this.#binding = binding;
    this.#tensor = tensor;
    this.shape = shape;
    this.dtype = dtype;
  }

  get disposed(): boolean {
    return this.#tensor === undefined || this.#life.ended;
  }

  /** @throws DisposedError if the array was disposed or donated. */
  get tensor(): number {
    this.#life.check();
    if (this.#tensor !== undefined) return this.#tensor;
    throw new DisposedError(`The array was ${this.#donated ? 'donated to a run' : 'disposed'}.`, {
      expected: 'an array that is not disposed',
      ...(this.#donated && { remedy: 'Use the array that the run returned in its place.' }),
    });
  }

  isOf(binding: Binding): boolean {
    return this.#binding === binding;
  }

  async read(): Promise<TypedArray> {
    return this.values();
  }

  /** A copy of the elements. */
  values(): TypedArray {
    const { tensor, dtype } = this;
    // TensorFlow's addon has no memory for empty tensors.
    if (sizeOf(this.shape) === 0) return allocate(dtype, 0);
    const held = this.#binding.tensorDataSync(tensor).slice();
    if (dtype === 'f64') return new Float64Array(held.buffer);
    return dtype === 'u32' ? new Uint32Array(held.buffer) : held;
  }

  dispose(): void {
    if (this.#tensor !== undefined) this.#binding.deleteTensor(this.#tensor);
    this.#tensor = undefined;
  }

  donate(): void {
    this.#donated = true;
    this.dispose();
  }
}

/** Copies a host array into a tensor of the binding. */
export function upload(binding: Binding, { data, shape, dtype }: HostArray): number {
  const stored = toStorage(data, dtype);
  const dimensions = [...heldShape(shape, dtype)];
  if (dtype === 'f32') return binding.createTensor(dimensions, binding.TF_FLOAT, stored as Float32Array);
  if (dtype === 'bool') return binding.createTensor(dimensions, binding.TF_BOOL, stored as Uint8Array);
  const { buffer, byteOffset, byteLength } = stored;
  return binding.createTensor(dimensions, binding.TF_INT32, new Int32Array(buffer, byteOffset, byteLength / 4));
}
