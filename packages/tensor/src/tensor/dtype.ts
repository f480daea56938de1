import { roundToHalf } from './half.ts';

/**
 * Element types. Every backend has f32; its manifest lists the others, by operator. On the host, `bool` is stored as one byte,
 * 0 or 1, and `f16` (IEEE 754 binary16) in a Float32Array, because not every host has a Float16Array.
 */
export const dtypes = ['f16', 'f32', 'f64', 'i32', 'u32', 'bool'] as const;
export type DType = (typeof dtypes)[number];

export type TypedArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

export const isFloat = (dtype: DType): boolean => dtype === 'f16' || dtype === 'f32' || dtype === 'f64';

const storage = {
  f16: Float32Array,
  f32: Float32Array,
  f64: Float64Array,
  i32: Int32Array,
  u32: Uint32Array,
  bool: Uint8Array,
} as const;

/** A new zeroed typed array of `length` for elements of `dtype`. */
export const allocate = (dtype: DType, length: number): TypedArray => new storage[dtype](length);

/** Bytes of one element on the host. */
export const bytesPerElement = (dtype: DType): number => storage[dtype].BYTES_PER_ELEMENT;

/** Copies numbers into the storage of `dtype` (rounding to f32 and f16, truncating to integers, 0 and 1 for bool). */
export function toStorage(values: ArrayLike<number | boolean>, dtype: DType): TypedArray {
  const array = allocate(dtype, values.length);
  const converted = conversions[dtype];
  // Values may also be true or false, which typed arrays convert to 1 and 0.
  if (converted) for (let i = 0; i < values.length; i++) array[i] = converted(values[i]);
  else array.set(values as ArrayLike<number>);
  return array;
}

/** Conversions that typed arrays do not do themselves. */
const conversions: Readonly<Partial<Record<DType, (value: number | boolean) => number>>> = {
  f16: (value) => roundToHalf(Number(value)),
  bool: (value) => (value ? 1 : 0),
};

/** Whether `array` has the storage type of `dtype`. */
export const isStorageOf = (array: unknown, dtype: DType): array is TypedArray => array instanceof storage[dtype];
