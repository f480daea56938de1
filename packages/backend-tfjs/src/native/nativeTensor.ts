import { allocate, sizeOf, toStorage, type HostArray, type TensorType, type TypedArray } from '@flow-matching/tensor';
import { heldShape } from '../heldShape.ts';
import type { Binding } from './binding.ts';

/** Copies a host array into a tensor of the binding. */
export function upload(binding: Binding, { data, shape, dtype }: HostArray): number {
  const stored = toStorage(data, dtype);
  const dimensions = [...heldShape(shape, dtype)];
  if (dtype === 'f32') return binding.createTensor(dimensions, binding.TF_FLOAT, stored as Float32Array);
  if (dtype === 'bool') return binding.createTensor(dimensions, binding.TF_BOOL, stored as Uint8Array);
  const { buffer, byteOffset, byteLength } = stored;
  return binding.createTensor(dimensions, binding.TF_INT32, new Int32Array(buffer, byteOffset, byteLength / 4));
}

/** A copy of the elements of a tensor of the binding. */
export function read(binding: Binding, tensor: number, { shape, dtype }: TensorType): TypedArray {
  // TensorFlow's addon has no memory for empty tensors.
  if (sizeOf(shape) === 0) return allocate(dtype, 0);
  const held = binding.tensorDataSync(tensor).slice();
  if (dtype === 'f64') return new Float64Array(held.buffer);
  return dtype === 'u32' ? new Uint32Array(held.buffer) : held;
}
