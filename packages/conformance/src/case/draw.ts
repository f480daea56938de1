import {
  isFloat,
  sizeOf,
  toStorage,
  type DType,
  type HostArray,
  type HostRandomStream,
  type Shape,
} from '@flow-matching/tensor';

/** The range of drawn numbers: [low, high). */
export type Range = readonly [low: number, high: number];

/** Arrays of one dtype, drawn from a stream. */
export class Draw {
  readonly dtype: DType;
  readonly #random: HostRandomStream;

  constructor(random: HostRandomStream, dtype: DType) {
    this.#random = random;
    this.dtype = dtype;
  }

  /** The same stream for another dtype. */
  of(dtype: DType): Draw {
    return new Draw(this.#random, dtype);
  }

  /**
   * Uniform numbers in `range`: floats with all their digits, integers (shifted to 0 if unsigned ones would be negative), coin
   * tosses for bool.
   */
  array(shape: Shape, [low, high]: Range = [-4, 4]): HostArray {
    const from = this.dtype === 'u32' ? Math.max(0, low) : low;
    const to = this.dtype === 'u32' && low < 0 ? high - low : high;
    return this.#mapped(shape, (u) => {
      if (this.dtype === 'bool') return Number(u < 0.5);
      const value = from + (to - from) * u;
      return isFloat(this.dtype) ? value : Math.floor(value);
    });
  }

  /** Like {@link array}, but whole numbers for floats too, so that some are equal. */
  whole(shape: Shape, range: Range = [-3, 3]): HostArray {
    const { data, dtype } = this.array(shape, range);
    return { data: dtype === 'bool' ? data : data.map(Math.floor), shape, dtype };
  }

  /** Like {@link array}, with magnitudes in `range` and both signs unless unsigned: divisors. */
  apart(shape: Shape, range: Range = [1, 5]): HostArray {
    const { data, dtype } = this.array(shape, range);
    const signs = this.#random.uniform(shape, -1, 1).data;
    return { data: dtype === 'u32' ? data : data.map((value, i) => (signs[i] < 0 ? -value : value)), shape, dtype };
  }

  #mapped(shape: Shape, value: (u: number) => number): HostArray {
    const count = sizeOf(shape);
    // A second word fills the digits that a 24-bit uniform leaves 0 in f64.
    const words = this.#random.uniform([2 * count]).data;
    const values = Array.from({ length: count }, (_, i) => value(words[i] + words[i + count] * 2 ** -24));
    return { data: toStorage(values, this.dtype), shape, dtype: this.dtype };
  }
}
