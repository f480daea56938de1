import type { Shape } from '@flow-matching/tensor';

/** The shape in which an array is stored: TensorFlow.js has no 64-bit type, so f64 values are pairs of int32. */
export const heldShape = (shape: Shape, dtype: string): Shape => (dtype === 'f64' ? [...shape, 2] : shape);
