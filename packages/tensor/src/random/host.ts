import { OptionError } from '../errors.ts';
import { allocate, type DType, type TypedArray } from '../tensor/dtype.ts';
import type { HostArray } from '../tensor/hostArray.ts';
import { checkShape, sizeOf, type Shape } from '../tensor/shape.ts';
import { philoxSample } from './philox.ts';

/** Draws on the host the same values as the graph operator or composite of the same name: from key [2] and counter [4], an array of `shape`. */
export type HostDraw = (key: Uint32Array, counter: Uint32Array, shape: Shape) => HostArray;

// Counterparts of operators/random.ts and composites/random.ts, which document them; tests check that they are equal. Computed
// in double and rounded once.

/** Random 32-bit words, u32. */
export const hostRandomBits: HostDraw = draw('u32', ownWords, (words, result, first, size) => {
  for (let i = 0; i < size; i++) result[first + i] = words[i];
});

/** Uniforms in [0, 1) on a grid of 2⁻²⁴, f32. */
export const hostRandomUniform: HostDraw = draw('f32', ownWords, (words, result, first, size) => {
  for (let i = 0; i < size; i++) result[first + i] = uniform(words[i]);
});

/** Standard normals, f32. */
export const hostRandomNormal: HostDraw = draw('f32', pairedWords, (words, result, first, size) => {
  const half = Math.ceil(size / 2);
  for (let i = 0; i < half; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform(words[i])));
    const angle = 2 * Math.PI * uniform(words[half + i]);
    result[first + i] = radius * Math.cos(angle);
    if (half + i < size) result[first + half + i] = radius * Math.sin(angle);
  }
});

/** ±1 with equal probability, f32. */
export const hostRandomSign: HostDraw = draw('f32', ownWords, (words, result, first, size) => {
  for (let i = 0; i < size; i++) result[first + i] = uniform(words[i]) < 0.5 ? 1 : -1;
});

/** Every draw by the name of its operator or composite, for graph inputs in place of draws that a backend does not support. */
export const hostRandom: Readonly<Record<string, HostDraw>> = {
  RandomBits: hostRandomBits,
  RandomUniform: hostRandomUniform,
  RandomNormal: hostRandomNormal,
  RandomSign: hostRandomSign,
};

/** The leading 24 bits as a fraction. */
function uniform(word: number): number {
  return (word >>> 8) * 2 ** -24;
}

/** Number of words for a sample of `size` elements. */
function ownWords(size: number): number {
  return size;
}
function pairedWords(size: number): number {
  return 2 * Math.ceil(size / 2);
}

/** Converts one sample's words to its elements, which start at `first` in the result. */
type Transform = (words: Uint32Array, result: TypedArray, first: number, size: number) => void;

function draw(dtype: DType, wordsFor: (size: number) => number, transform: Transform): HostDraw {
  return (key, counter, shape) => {
    checkShape(shape);
    if (key.length !== 2 || counter.length !== 4) {
      throw new OptionError(`A key of ${key.length} and a counter of ${counter.length} words do not fit.`, {
        actual: [key.length, counter.length],
        expected: 'a key of 2 and a counter of 4 words',
      });
    }
    const data = allocate(dtype, sizeOf(shape));
    const samples = shape[0] ?? 1;
    const size = sizeOf(shape.slice(1));
    const count = wordsFor(size);
    const words = new Uint32Array(4 * Math.ceil(count / 4));
    for (let sample = 0; sample < samples; sample++) {
      philoxSample(key, counter, sample, count, words);
      transform(words, data, sample * size, size);
    }
    return { data, shape, dtype };
  };
}
