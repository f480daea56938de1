/**
 * Element types. Every backend has f32; the others where its manifest says so, operator by operator. `bool` is stored as one
 * byte, 0 or 1.
 */
export type DType = 'f32' | 'f64' | 'i32' | 'u32' | 'bool';

export type TypedArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

export const isFloat = (dtype: DType): boolean => dtype === 'f32' || dtype === 'f64';

const storage = {
  f32: Float32Array,
  f64: Float64Array,
  i32: Int32Array,
  u32: Uint32Array,
  bool: Uint8Array,
} as const;

/** The typed array that holds elements of `dtype`: a new one, zeroed, of `length`. */
export const allocate = (dtype: DType, length: number): TypedArray => new storage[dtype](length);

/** Bytes of one element. */
export const bytesPerElement = (dtype: DType): number => storage[dtype].BYTES_PER_ELEMENT;

/** Copies numbers into the storage of `dtype` (rounding f64 to f32, truncating to integers, 0 and 1 for bool). */
export function toStorage(values: ArrayLike<number | boolean>, dtype: DType): TypedArray {
  const array = allocate(dtype, values.length);
  for (let i = 0; i < values.length; i++) array[i] = dtype === 'bool' ? (values[i] ? 1 : 0) : Number(values[i]);
  return array;
}

/** True where `array` is the storage type of `dtype`. */
export const isStorageOf = (array: unknown, dtype: DType): array is TypedArray => array instanceof storage[dtype];
