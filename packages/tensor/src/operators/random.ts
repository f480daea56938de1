import { DTypeError, ShapeError } from '../errors.ts';
import { apply } from '../graph/node.ts';
import type { Attributes, Operator } from '../graph/operator.ts';
import type { Tensor } from '../graph/tensor.ts';
import { checkShape, sameShape, type Shape } from '../tensor/shape.ts';

interface RandomBitsAttributes extends Attributes {
  readonly shape: Shape;
}

/**
 * Philox 4×32-10 random words: u32 of `shape` from key u32[2] and counter u32[4].
 *
 * The leading axis counts samples. Word w of sample i is word w mod 4 of the block whose counter is (counter₀ + ⌊w/4⌋, counter₁
 * + i, counter₂, counter₃), each sum modulo 2³². A sample's bits therefore depend only on its own index, not on its batch or
 * the rank that draws it.
 */
export const RandomBits: Operator<RandomBitsAttributes> = {
  name: 'RandomBits',
  infer([key, counter], { shape }) {
    checkShape(shape);
    if (key.dtype !== 'u32' || counter.dtype !== 'u32') {
      throw new DTypeError(`Key and counter are ${key.dtype} and ${counter.dtype}.`, {
        actual: [key.dtype, counter.dtype],
        expected: 'u32',
      });
    }
    if (!sameShape(key.shape, [2]) || !sameShape(counter.shape, [4])) {
      throw new ShapeError('Key or counter has the wrong shape.', {
        actual: [key.shape, counter.shape],
        expected: 'key [2] and counter [4]',
      });
    }
    return [{ shape, dtype: 'u32' }];
  },
};

export function randomBits(key: Tensor, counter: Tensor, shape: Shape): Tensor {
  return apply(RandomBits, [key, counter], { shape: [...shape] })[0];
}
