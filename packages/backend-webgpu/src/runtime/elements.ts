import {
  allocate,
  fromHalfBits,
  sizeOf,
  toHalfBits,
  toStorage,
  type DType,
  type HostArray,
  type TypedArray,
} from '@flow-matching/tensor';
import { isPacked, tensorBytes } from '../memory/tensorBytes.ts';

/** The elements of a host array as stored in a buffer. */
export function toElements({ data, shape, dtype }: HostArray): Float32Array | Int32Array | Uint32Array {
  if (dtype === 'bool') return Uint32Array.from(data, (value) => (value === 0 ? 0 : 1));
  if (isPacked({ shape, dtype })) {
    const words = new Uint32Array(tensorBytes({ shape, dtype }) / 4);
    new Uint16Array(words.buffer).set(toHalfBits(data));
    return words;
  }
  return toStorage(data, dtype) as Float32Array | Int32Array | Uint32Array;
}

/** The elements of a buffer in the host storage of a dtype. */
export function fromElements(bytes: ArrayBuffer, shape: readonly number[], dtype: DType): TypedArray {
  const size = sizeOf(shape);
  if (dtype === 'bool') return Uint8Array.from(new Uint32Array(bytes, 0, size));
  if (isPacked({ shape, dtype })) return fromHalfBits(new Uint16Array(bytes, 0, size));
  const result = allocate(dtype, size);
  new Uint8Array(result.buffer).set(new Uint8Array(bytes, 0, result.byteLength));
  return result;
}
