import type { ProductGroup } from '../compiler/group.ts';
import type { KernelWriter } from '../compiler/kernelWriter.ts';
import { writeBlockProduct } from './blockProduct.ts';
import type { ProductMemory } from './operand.ts';
import type { ProductTile } from './productTile.ts';
import { writeRegisterProduct } from './registerProduct.ts';

/** Writes the statements of a product and of the elementwise work on its results. */
export function writeProduct(
  writer: KernelWriter,
  group: ProductGroup,
  tile: ProductTile,
  memory: ProductMemory,
): void {
  if (tile.kind === 'blocks') writeBlockProduct(writer, group, tile, memory);
  else writeRegisterProduct(writer, group, tile, memory);
}
