import { sizeOf, type Node } from '@flow-matching/tensor';
import { broadcastIndex } from '../compiler/kernelWriter.ts';
import { delinearize } from '../indexing/indexExpression.ts';
import { tensorOperand } from './operand.ts';
import { rowMajor, type Product } from './product.ts';

/** MatMul: [..., rows, depth] × [..., depth, columns], leading axes broadcast. */
export function matrixProduct({ inputs: [a, b], outputs: [{ shape }] }: Node): Product {
  const lead = shape.slice(0, -2);
  const [rows, columns] = shape.slice(-2);
  const depth = a.shape.at(-1)!;
  const batch = sizeOf(lead);
  const extents = { batch, rows, columns, depth };
  return {
    ...extents,
    left: tensorOperand(a, (n, row, k) => [...broadcastIndex(delinearize(n, lead), a.shape.slice(0, -2)), row, k], {
      batch,
      side: rows,
      depth,
    }),
    right: tensorOperand(
      b,
      (n, column, k) => [...broadcastIndex(delinearize(n, lead), b.shape.slice(0, -2)), k, column],
      { batch, side: columns, depth },
    ),
    position: rowMajor(extents),
  };
}
