import { ShapeError } from '../errors.ts';
import { apply } from '../graph/node.ts';
import type { Operator } from '../graph/operator.ts';
import type { Tensor } from '../graph/tensor.ts';
import { broadcastShapes, formatShape, type TensorType } from '../tensor/shape.ts';
import { bilinear, unbroadcast } from './archetypes.ts';
import { reshape, transpose } from './movement.ts';

/** Matrix product over the last two axes, leading axes broadcast; both operands have rank 2 or more. */
export const MatMul: Operator = bilinear('MatMul', inferMatMul, [
  (cotangent, b, a) => unbroadcast(matmul(cotangent, transposeLast(b)), a),
  (cotangent, a, b) => unbroadcast(matmul(transposeLast(a), cotangent), b),
]);

function inferMatMul(a: TensorType, b: TensorType): TensorType {
  const [rows, inner] = a.shape.slice(-2);
  const [depth, columns] = b.shape.slice(-2);
  if (a.shape.length < 2 || b.shape.length < 2 || inner !== depth) {
    throw new ShapeError(`${formatShape(a.shape)} and ${formatShape(b.shape)} do not multiply.`, {
      actual: [a.shape, b.shape],
      expected: '[…, rows, inner] × […, inner, columns]',
    });
  }
  return { shape: [...broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns], dtype: a.dtype };
}

/** x with its last two axes swapped. */
export function transposeLast(x: Tensor): Tensor {
  const axes = x.shape.map((_, i) => i);
  return transpose(x, [...axes.slice(0, -2), x.rank - 1, x.rank - 2]);
}

/**
 * NumPy's matmul: a vector is a row on the left and a column on the right. A batch of matrices times one matrix becomes a
 * single large product, because that is one fast kernel and its gradient needs no sum over the batch.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  if (a.rank === 1 && b.rank >= 1) return dropAxis(matmul(reshape(a, [1, a.size]), b), b.rank === 1 ? -1 : -2);
  if (b.rank === 1 && a.rank >= 1) return dropAxis(matmul(a, reshape(b, [b.size, 1])), -1);
  if (a.rank > 2 && b.rank === 2) {
    const rows = a.shape.slice(0, -1);
    const flat = reshape(a, [rows.reduce((size, extent) => size * extent, 1), a.shape.at(-1)!]);
    return reshape(matmul(flat, b), [...rows, b.shape[1]]);
  }
  return apply(MatMul, [a, b], {})[0];
}

function dropAxis(x: Tensor, axis: number): Tensor {
  return reshape(x, x.shape.toSpliced(axis, 1));
}
