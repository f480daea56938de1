import type { Node } from '@flow-matching/tensor';
import type { AdapterProfile } from '../compiler/adapterProfile.ts';
import type { Product } from './product.ts';
import { productOf } from './productOf.ts';

/** Every invocation computes a tile of rows × columns of the result from elements that it reads itself. */
export interface RegisterTile {
  readonly kind: 'registers';
  readonly rows: number;
  /** A multiple of four. */
  readonly columns: number;
  /** Invocations of a workgroup, vertically and horizontally. */
  readonly down: number;
  readonly across: number;
}

/** Workgroups compute blocks of the result from shared blocks of the operands; every invocation computes a tile. */
export interface BlockTile {
  readonly kind: 'blocks';
  /** Multiples of four. */
  readonly rows: number;
  readonly columns: number;
  readonly blockRows: number;
  readonly blockColumns: number;
}

/** How a product is divided among invocations. */
export type ProductTile = RegisterTile | BlockTile;

/** Terms of the sum that are in workgroup memory at a time. */
export const blockDepth = 16;

const invocations = 64;

/**
 * The largest numbers of rows and columns of a tile. Large tiles save loads, which dominate the cost on a CPU; without loads of
 * four elements the code gets too long.
 */
const [largeSide, smallSide] = [16, 8];

/** Below this many operations, a kernel that compiles fast is better than one that runs fast. */
const little = 1 << 16;

/** Below this many workgroups, smaller tiles use more of the device: a few threads of a CPU, or a hundred units of a GPU. */
const enoughWorkgroups = (software: boolean): number => (software ? 8 : 128);

/** Largest first. */
const blockTiles: readonly BlockTile[] = [
  { kind: 'blocks', rows: 8, columns: 8, blockRows: 128, blockColumns: 128 },
  { kind: 'blocks', rows: 8, columns: 8, blockRows: 64, blockColumns: 64 },
  { kind: 'blocks', rows: 4, columns: 4, blockRows: 32, blockColumns: 32 },
];

const elementBytes = 4;

export function productTile(node: Node, profile: AdapterProfile): ProductTile {
  const product = productOf(node);
  const { batch, rows, columns, depth } = product;
  const { software } = profile;
  if (batch * rows * columns * depth <= little) return registerTile(product, 1, 4);
  if (!software && Math.min(rows, columns, depth) >= blockDepth) {
    const possible = blockTiles.filter((tile) => fits(tile, profile));
    const busy = possible.find((tile) => workgroupsOf(product, tile) >= enoughWorkgroups(software));
    const chosen = busy ?? possible.at(-1);
    if (chosen) return chosen;
  }
  const side = software && product.left.vectors && product.right.vectors ? largeSide : smallSide;
  let tile = registerTile(product, Math.min(side, powerOfTwo(rows)), columns <= 4 ? 4 : columns <= 8 ? 8 : side);
  while (tile.rows > 1 && workgroupsOf(product, tile) < enoughWorkgroups(software))
    tile = registerTile(product, tile.rows / 2, tile.columns);
  return tile;
}

const fits = (
  { rows, columns, blockRows, blockColumns }: BlockTile,
  { invocationsPerWorkgroup, workgroupStorageBytes }: AdapterProfile,
): boolean =>
  (blockRows / rows) * (blockColumns / columns) <= invocationsPerWorkgroup &&
  (blockRows + blockColumns) * blockDepth * elementBytes <= workgroupStorageBytes;

const workgroupsOf = (product: Product, tile: ProductTile): number =>
  productGrid(product, tile).reduce((all, count) => all * count, 1);

function registerTile({ columns: extent }: Product, rows: number, columns: number): RegisterTile {
  const across = Math.min(8, powerOfTwo(Math.ceil(extent / columns)));
  return { kind: 'registers', rows, columns, down: invocations / across, across };
}

/** The largest power of two that does not exceed a number of 1 or more. */
const powerOfTwo = (count: number): number => 2 ** Math.floor(Math.log2(Math.max(1, count)));

/** Workgroups of a product along batch, rows and columns. */
export function productGrid({ batch, rows, columns }: Product, tile: ProductTile): readonly [number, number, number] {
  const [down, across] =
    tile.kind === 'blocks' ? [tile.blockRows, tile.blockColumns] : [tile.rows * tile.down, tile.columns * tile.across];
  return [batch, Math.ceil(rows / down), Math.ceil(columns / across)];
}

/** Invocations of a workgroup. */
export const invocationsOf = (tile: ProductTile): number =>
  tile.kind === 'blocks' ? (tile.blockRows / tile.rows) * (tile.blockColumns / tile.columns) : tile.down * tile.across;
