import * as core from '@flow-matching/tensor';
import { sizeOf, type Shape } from '@flow-matching/tensor';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Operations } from '../operations.ts';
import { float, lowering, type Lowering } from './lowering.ts';

/** The batch of matrices as [batch, rows, columns], broadcast to `batch`. */
function batched(operations: Operations, x: TensorInfo, batch: Shape): TensorInfo {
  const matrix = x.shape.slice(-2);
  const own = sizeOf(x.shape.slice(0, -2));
  if (own === 1) return operations.reshape(x, [1, ...matrix]);
  return operations.reshape(operations.expand(x, [...batch, ...matrix]), [sizeOf(batch), ...matrix]);
}

export const products: readonly Lowering[] = [
  // The kernel broadcasts a batch of one; others are broadcast here.
  lowering(core.MatMul, float, (operations, [a, b], { outputs: [{ shape }] }) => {
    const batch = shape.slice(0, -2);
    const result = operations.product(batched(operations, a, batch), batched(operations, b, batch));
    return operations.reshape(result, shape);
  }),
];
