import type { Tensor } from '@flow-matching/tensor';
import type { KernelWriter } from '../compiler/kernelWriter.ts';
import type { StoreElement } from '../compiler/mapKernel.ts';
import { divide, linearize, variable, type IndexExpression } from '../indexing/indexExpression.ts';
import { loweringOf } from '../lowering/index.ts';
import { isSmall } from '../memory/isSmall.ts';

/** The direction in which four elements are contiguous in memory: along the sum, or along the result's rows or columns. */
export type Direction = 'depth' | 'side';

/** One factor of a product: an element for each batch, each row (or column) of the result, and each term of the sum. */
export interface Operand {
  /** The value of an element. */
  readonly element: (
    writer: KernelWriter,
    batch: IndexExpression,
    side: IndexExpression,
    depth: IndexExpression,
  ) => string;
  /** How four contiguous elements are read, if there are any. */
  readonly vectors?: {
    readonly direction: Direction;
    readonly tensor: Tensor;
    readonly position: (batch: IndexExpression, side: IndexExpression, depth: IndexExpression) => IndexExpression;
  };
}

/** The extents of a product: `batch` results of `rows` × `columns`, each a sum of `depth` terms. */
export interface Extents {
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
}

/** The stored tensor under a chain of views, and the position of an element there. */
function seen(
  tensor: Tensor,
  index: readonly IndexExpression[],
): { readonly tensor: Tensor; readonly position: IndexExpression } {
  let [below, at] = [tensor, index];
  while (below.node.operator.name !== 'Input') {
    const { source } = loweringOf(below.node);
    if (!source) break;
    at = source(at, below.node);
    below = below.node.inputs[0];
  }
  return { tensor: below, position: linearize(at, below.shape) };
}

/** An operand whose elements are those of a tensor, directly or through views. */
export function tensorOperand(
  tensor: Tensor,
  indexOf: (batch: IndexExpression, side: IndexExpression, depth: IndexExpression) => readonly IndexExpression[],
  extents: { readonly batch: number; readonly side: number; readonly depth: number },
): Operand {
  const position: NonNullable<Operand['vectors']>['position'] = (batch, side, depth) =>
    seen(tensor, indexOf(batch, side, depth)).position;
  const element: Operand['element'] = (writer, batch, side, depth) => writer.value(tensor, indexOf(batch, side, depth));
  if (extents.depth === 0) return { element };
  const [batch, side, depth] = [
    variable('batch', extents.batch),
    variable('side', extents.side),
    variable('depth', extents.depth),
  ];
  const { tensor: below, position: general } = seen(tensor, indexOf(batch, side, depth));
  const along = (way: IndexExpression, extent: number): boolean => extent % 4 === 0 && stepsByOne(general, way);
  // The buffer must consist of whole fours.
  if (isSmall(below) || below.size % 4 !== 0) return { element };
  if (along(depth, extents.depth)) return { element, vectors: { direction: 'depth', tensor: below, position } };
  if (along(side, extents.side)) return { element, vectors: { direction: 'side', tensor: below, position } };
  return { element };
}

/** Whether a position increases by one with a variable, and is a multiple of four whenever the variable is. */
function stepsByOne(position: IndexExpression, way: IndexExpression): boolean {
  if (way.terms.length === 0 || position.factorOf(way) !== 1 || position.dividesBy(way)) return false;
  const { key } = way.terms[0].atom;
  return (
    position.constant % 4 === 0 && position.terms.every(({ atom, factor }) => atom.key === key || factor % 4 === 0)
  );
}

/** Memory access of a product's kernel besides single elements. */
export interface ProductMemory {
  readonly store: StoreElement;
  /** The expression of four elements of a stored tensor from a position that is a multiple of four, counted in fours. */
  readonly vector: (tensor: Tensor, quarter: string) => string;
}

export const lanes = ['x', 'y', 'z', 'w'] as const;

/** Names four contiguous elements. */
export function loadFour(
  writer: KernelWriter,
  memory: ProductMemory,
  { tensor, position }: NonNullable<Operand['vectors']>,
  [batch, side, depth]: readonly [IndexExpression, IndexExpression, IndexExpression],
): string {
  const quarter = divide(position(batch, side, depth), 4);
  return writer.once(`four ${tensor.node.id} ${quarter.key}`, () => {
    writer.accesses.push({ tensor, position: quarter });
    return writer.let('four', memory.vector(tensor, writer.index(quarter)));
  });
}
