import { sizeOf, type TensorType } from '@flow-matching/tensor';

/** The largest number of elements of a small tensor. */
const smallest = 1024;

/** Whether a tensor is small. Small tensors of a program share one buffer, so that scalars and biases do not use up a kernel's bindings. */
export const isSmall = ({ shape }: TensorType): boolean => sizeOf(shape) <= smallest;
