import {
  allocate,
  DTypeError,
  sizeOf,
  toStorage,
  type DType,
  type HostArray,
  type TypedArray,
} from '@flow-matching/core';
import { kernelDTypes } from '../wgsl/types.ts';

/** The elements of a host array as a buffer holds them: four bytes each. @throws DTypeError for a dtype that kernels have not. */
export function toElements({
  data,
  dtype,
}: Pick<HostArray, 'data' | 'dtype'>): Float32Array | Int32Array | Uint32Array {
  if (!kernelDTypes.includes(dtype)) {
    throw new DTypeError(`The webgpu backend has no ${dtype}.`, {
      actual: dtype,
      expected: kernelDTypes.join(', '),
      remedy: 'Convert the array, or choose a backend that has the dtype.',
    });
  }
  if (dtype === 'bool') return Uint32Array.from(data, (value) => (value === 0 ? 0 : 1));
  return toStorage(data, dtype) as Float32Array | Int32Array | Uint32Array;
}

/** The elements of a buffer as the storage of a dtype. */
export function fromElements(bytes: ArrayBuffer, shape: readonly number[], dtype: DType): TypedArray {
  const size = sizeOf(shape);
  if (dtype === 'bool') return Uint8Array.from(new Uint32Array(bytes, 0, size));
  const result = allocate(dtype, size);
  new Uint8Array(result.buffer).set(new Uint8Array(bytes, 0, result.byteLength));
  return result;
}
