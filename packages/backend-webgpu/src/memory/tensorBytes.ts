import { sizeOf, type TensorType } from '@flow-matching/tensor';
import { isSmall } from './isSmall.ts';

/** Bytes of one element of a small tensor, for every dtype: an f16 is stored as an f32 there. */
export const smallElementBytes = 4;

/** Whether two elements of a tensor share a word. */
export const isPacked = (type: TensorType): boolean => type.dtype === 'f16' && !isSmall(type);

/** Bytes of a tensor's elements in a buffer, in whole words. */
export const tensorBytes = (type: TensorType): number =>
  4 * (isPacked(type) ? Math.ceil(sizeOf(type.shape) / 2) : sizeOf(type.shape));

/** Bytes of a buffer for a tensor; none is empty. */
export const bufferBytes = (type: TensorType): number => Math.max(4, tensorBytes(type));
