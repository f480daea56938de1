import { DTypeError, ShapeError } from '../errors.ts';
import { isStorageOf, toStorage, type DType, type TypedArray } from './dtype.ts';
import { checkShape, formatShape, sizeOf, type Shape, type TensorType } from './shape.ts';

/** Numbers with a shape, in this process's memory: row-major. */
export interface HostArray extends TensorType {
  readonly data: TypedArray;
}

/**
 * A host array over `data`, which is not copied if it already has the storage type of `dtype`.
 *
 * @throws ShapeError if the data does not fill the shape; DTypeError if a typed array has another dtype.
 */
export function hostArray(
  data: TypedArray | readonly number[],
  shape: Shape = [data.length],
  dtype: DType = dtypeOf(data),
): HostArray {
  checkShape(shape);
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(`${data.length} values do not fill shape ${formatShape(shape)}.`, {
      actual: data.length,
      expected: `${sizeOf(shape)} values`,
    });
  }
  if (isStorageOf(data, dtype)) return { data, shape, dtype };
  if (ArrayBuffer.isView(data)) {
    throw new DTypeError(`A ${data.constructor.name} does not hold ${dtype}.`, {
      actual: data.constructor.name,
      expected: `the storage of ${dtype}`,
    });
  }
  return { data: toStorage(data, dtype), shape, dtype };
}

/** A scalar on the host. */
export const hostScalar = (value: number, dtype: DType = 'f32'): HostArray => hostArray([value], [], dtype);

function dtypeOf(data: TypedArray | readonly number[]): DType {
  if (data instanceof Float64Array) return 'f64';
  if (data instanceof Int32Array) return 'i32';
  if (data instanceof Uint32Array) return 'u32';
  if (data instanceof Uint8Array) return 'bool';
  return 'f32';
}
