import { DataError, DTypeError, ShapeError } from '../errors.ts';
import { dtypes, isFloat, isStorageOf, type DType } from './dtype.ts';
import type { HostArray } from './hostArray.ts';
import { formatShape, sameShape, sizeOf, type Shape } from './shape.ts';

export interface HostArrayExpectation {
  /** The expected shape. Default: any. */
  readonly shape?: Shape;
  readonly dtype?: DType;
  /** Whether floats may be NaN or infinite. Default false. */
  readonly nonFinite?: boolean;
}

/**
 * Checks an array on entry to the library, so that the error uses the caller's name for it. Floats of every dtype may be stored
 * in a Float32Array or a Float64Array.
 *
 * @param name of the argument, for messages
 * @throws DataError for a value that is not an array, has the wrong shape, or contains NaN or infinity; ShapeError if the
 *   elements do not fill the shape; DTypeError for the wrong dtype, or a typed array that cannot store it.
 */
export function checkHostArray(
  name: string,
  array: HostArray,
  { shape, dtype, nonFinite = false }: HostArrayExpectation = {},
): void {
  const given: unknown = array;
  if (typeof given !== 'object' || given === null || !ArrayBuffer.isView(array.data) || !isShape(array.shape)) {
    throw new DataError(`${name} is not a host array.`, {
      actual: given,
      expected: 'an object with data (a typed array), shape and dtype',
      remedy: 'Make it with hostArray(data, shape).',
    });
  }
  if (array.data.length !== sizeOf(array.shape)) {
    throw new ShapeError(`${name} has ${array.data.length} elements for shape ${formatShape(array.shape)}.`, {
      actual: array.data.length,
      expected: `${sizeOf(array.shape)} elements`,
    });
  }
  if (shape && !sameShape(array.shape, shape)) {
    throw new DataError(`${name} has shape ${formatShape(array.shape)}.`, {
      actual: array.shape,
      expected: formatShape(shape),
    });
  }
  if (!dtypes.includes(array.dtype) || (dtype && array.dtype !== dtype)) {
    throw new DTypeError(`${name} has dtype ${array.dtype}.`, {
      actual: array.dtype,
      expected: dtype ?? `one of ${dtypes.join(', ')}`,
    });
  }
  const float = isFloat(array.dtype);
  if (
    !isStorageOf(array.data, array.dtype) &&
    !(float && (isStorageOf(array.data, 'f32') || isStorageOf(array.data, 'f64')))
  ) {
    const { name: storage } = (array.data as object).constructor;
    throw new DTypeError(`${name} is a ${storage}, which does not hold ${array.dtype}.`, {
      actual: storage,
      expected: `the storage of ${array.dtype}`,
    });
  }
  if (float && !nonFinite) checkFinite(name, array);
}

function checkFinite(name: string, { data, shape }: HostArray): void {
  // A loop: findIndex takes eight times as long.
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    const where = shape.length > 0 ? ` in row ${Math.floor(i / (data.length / shape[0]))}` : '';
    throw new DataError(`${name} holds ${data[i]}${where}.`, { actual: data[i], expected: 'finite values' });
  }
}

const isShape = (shape: unknown): shape is Shape =>
  Array.isArray(shape) && shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0);
