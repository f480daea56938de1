import { add, scale, type IndexExpression } from '../indexing/indexExpression.ts';
import type { Extents, Operand } from './operand.ts';

/** A node as sums of products: result[batch, row, column] = Σ left[batch, row, depth] · right[batch, column, depth]. */
export interface Product extends Extents {
  readonly left: Operand;
  readonly right: Operand;
  /** The row-major position in the node's output. */
  readonly position: (batch: IndexExpression, row: IndexExpression, column: IndexExpression) => IndexExpression;
}

/** The position in a result with row-major layout. */
export const rowMajor =
  ({ rows, columns }: Extents): Product['position'] =>
  (batch, row, column) =>
    add(scale(batch, rows * columns), scale(row, columns), column);
