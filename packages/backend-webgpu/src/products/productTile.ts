import type { Node } from '@flow-matching/core';
import type { AdapterProfile } from '../compiler/adapterProfile.ts';
import { productOf, type Product } from './product.ts';

/** How a product is shared out: every invocation computes a tile of rows × columns of the result. */
export interface ProductTile {
  readonly rows: number;
  /** A multiple of four. */
  readonly columns: number;
  /** Invocations of a workgroup, down and across. */
  readonly down: number;
  readonly across: number;
}

const invocations = 64;

/** Operations below which a kernel that is quick to compile wins over one that is quick to run. */
const little = 1 << 16;

export function productTile(node: Node, _: AdapterProfile): ProductTile {
  const product = productOf(node);
  const { batch, rows, columns, depth } = product;
  const small = batch * rows * columns * depth <= little;
  const tileRows = small ? 1 : Math.min(8, powerOfTwo(rows));
  const tileColumns = small || columns <= 4 ? 4 : 8;
  const across = Math.min(8, powerOfTwo(Math.ceil(columns / tileColumns)));
  return { rows: tileRows, columns: tileColumns, down: invocations / across, across };
}

/** The largest power of two that does not exceed a number of 1 or more. */
const powerOfTwo = (count: number): number => 2 ** Math.floor(Math.log2(Math.max(1, count)));

/** Workgroups of a product along batch, rows and columns. */
export function productGrid({ batch, rows, columns }: Product, tile: ProductTile): readonly [number, number, number] {
  return [batch, Math.ceil(rows / (tile.rows * tile.down)), Math.ceil(columns / (tile.columns * tile.across))];
}
