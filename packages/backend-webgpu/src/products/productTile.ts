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

/** Workgroups below which smaller tiles keep more of the device busy. */
const enoughWorkgroups = 8;

export function productTile(node: Node, _: AdapterProfile): ProductTile {
  const product = productOf(node);
  const { batch, rows, columns, depth } = product;
  if (batch * rows * columns * depth <= little) return tileOf(product, 1, 4);
  let tile = tileOf(product, Math.min(8, powerOfTwo(rows)), columns <= 4 ? 4 : 8);
  while (tile.rows > 1 && productGrid(product, tile).reduce((all, count) => all * count, 1) < enoughWorkgroups)
    tile = tileOf(product, tile.rows / 2, tile.columns);
  return tile;
}

function tileOf({ columns: extent }: Product, rows: number, columns: number): ProductTile {
  const across = Math.min(8, powerOfTwo(Math.ceil(extent / columns)));
  return { rows, columns, down: invocations / across, across };
}

/** The largest power of two that does not exceed a number of 1 or more. */
const powerOfTwo = (count: number): number => 2 ** Math.floor(Math.log2(Math.max(1, count)));

/** Workgroups of a product along batch, rows and columns. */
export function productGrid({ batch, rows, columns }: Product, tile: ProductTile): readonly [number, number, number] {
  return [batch, Math.ceil(rows / (tile.rows * tile.down)), Math.ceil(columns / (tile.columns * tile.across))];
}
