import { formatShape, sizeOf, type DType, type Shape, type TypedArray } from '@flow-matching/tensor';
import { claim } from './conformanceError.ts';
import { errorRatio, type Limit } from './limit.ts';

/** The largest error of one comparison, relative to its limit. */
export interface Measurement {
  readonly what: string;
  /** Error ÷ limit; passes if at most 1. */
  readonly ratio: number;
  readonly limit: string;
  /** The element with this error; absent if there is nothing to compare. */
  readonly worst?: WorstElement | undefined;
}

export interface WorstElement {
  /** Indices along the axes. */
  readonly at: readonly number[];
  readonly actual: number;
  readonly expected: number;
  /** The inputs it was computed from, if they fit in a line. */
  readonly input?: string | undefined;
}

export interface ComparedArray {
  readonly data: ArrayLike<number>;
  readonly shape: Shape;
  readonly dtype: DType;
}

/**
 * Compares arrays element by element.
 *
 * @param inputOf describes the inputs of the element at a flat index.
 * @throws ConformanceError if shapes or dtypes differ.
 */
export function compareArrays(
  what: string,
  actual: ComparedArray,
  expected: ComparedArray,
  limit: Limit,
  inputOf?: (index: number) => string,
): Measurement {
  claim(actual.dtype === expected.dtype, `${what} is ${actual.dtype}.`, { expected: expected.dtype });
  const shape = formatShape(expected.shape);
  claim(formatShape(actual.shape) === shape, `${what} is ${formatShape(actual.shape)}.`, { expected: shape });
  const count = sizeOf(expected.shape);
  claim(actual.data.length === count, `${what} holds ${actual.data.length} values.`, { expected: `${count} values` });
  let [ratio, index] = [0, -1];
  for (let i = 0; i < count; i++) {
    const own = errorRatio(limit, expected.dtype, actual.data[i], expected.data[i], i);
    if (index < 0 || own > ratio) [ratio, index] = [own, i];
  }
  return {
    what,
    ratio,
    limit: limit.description,
    ...(index >= 0 && {
      worst: {
        at: indicesOf(index, expected.shape),
        actual: actual.data[index],
        expected: expected.data[index],
        ...(inputOf && { input: inputOf(index) }),
      },
    }),
  };
}

/** Compares two numbers. */
export const compareNumbers = (what: string, actual: number, expected: number, limit: Limit, dtype: DType = 'f64') =>
  compareArrays(what, { data: [actual], shape: [], dtype }, { data: [expected], shape: [], dtype }, limit);

/** Data read from an array, with its type. */
export const readAs = (data: TypedArray, shape: Shape, dtype: DType): ComparedArray => ({ data, shape, dtype });

function indicesOf(index: number, shape: Shape): number[] {
  const indices: number[] = [];
  let rest = index;
  for (const extent of shape.toReversed()) {
    indices.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return indices;
}
