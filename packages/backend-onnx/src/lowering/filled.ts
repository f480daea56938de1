import { sizeOf, type TensorType } from '@flow-matching/tensor';
import type { ModelWriter } from '../model/modelWriter.ts';

/** A tensor of `type` filled with one value; ONNX Runtime folds it when it loads the model. */
export function filled(write: ModelWriter, value: number, { shape, dtype }: TensorType): string {
  const size = sizeOf(shape);
  if (size <= 16) return write.constant(new Array<number>(size).fill(value), dtype, shape);
  return write.node('Expand', [write.scalar(value, dtype), write.integers(shape)]);
}
