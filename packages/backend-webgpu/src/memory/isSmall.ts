import { sizeOf, type TensorType } from '@flow-matching/tensor';

/** The most elements that share one buffer with others. */
const smallest = 1024;

/** Small tensors of a program live together in one buffer, so that scalars and biases do not use up a kernel's bindings. */
export const isSmall = ({ shape }: TensorType): boolean => sizeOf(shape) <= smallest;
