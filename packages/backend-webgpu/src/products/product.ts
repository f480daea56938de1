import type { Node } from '@flow-matching/core';
import { add, scale, type IndexExpression } from '../indexing/indexExpression.ts';
import { convolution, convolutionInputGradient, convolutionWeightGradient } from './convolution.ts';
import { matrixProduct } from './matrixProduct.ts';
import type { Extents, Operand } from './operand.ts';

/** A node as sums of products: result[batch, row, column] = Σ left[batch, row, depth] · right[batch, column, depth]. */
export interface Product extends Extents {
  readonly left: Operand;
  readonly right: Operand;
  /** The row-major position in the node's output. */
  readonly position: (batch: IndexExpression, row: IndexExpression, column: IndexExpression) => IndexExpression;
}

const products: Readonly<Record<string, (node: Node) => Product>> = {
  MatMul: matrixProduct,
  Conv: convolution,
  ConvInputGradient: convolutionInputGradient,
  ConvWeightGradient: convolutionWeightGradient,
};

export const productOf = (node: Node): Product => products[node.operator.name](node);

/** The position of a result that is laid out batch by batch, row by row. */
export const rowMajor =
  ({ rows, columns }: Extents): Product['position'] =>
  (batch, row, column) =>
    add(scale(batch, rows * columns), scale(row, columns), column);
