import type { Shape } from '@flow-matching/tensor';

/** The shape in which an array is held: TensorFlow for JavaScript has no type of 64 bits, so numbers of f64 are pairs of int32. */
export const heldShape = (shape: Shape, dtype: string): Shape => (dtype === 'f64' ? [...shape, 2] : shape);
