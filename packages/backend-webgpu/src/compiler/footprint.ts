import type { Tensor } from '@flow-matching/tensor';
import { lower } from '../lowering/index.ts';
import { writeProduct } from '../products/productKernel.ts';
import { productTile } from '../products/productTile.ts';
import type { AdapterProfile } from './adapterProfile.ts';
import { columnsOf, membersOf, type Group } from './group.ts';
import { KernelWriter, type Access } from './kernelWriter.ts';
import { mapLayout, writeMap } from './mapKernel.ts';

/** The memory accesses of a group. */
export interface Footprint {
  readonly accesses: readonly Access[];
  /** The stored tensors that it reads. */
  readonly reads: ReadonlySet<Tensor>;
  /** For each output, the key of the position at which its kernel writes an element: reads at that position have happened by then. */
  readonly positions: ReadonlyMap<Tensor, string>;
}

/**
 * Finds the reads and writes of a group by writing its kernel and discarding it.
 *
 * @throws NotComputable if the kernel cannot be written.
 */
export function footprintOf(group: Group, isStored: (tensor: Tensor) => boolean, profile: AdapterProfile): Footprint {
  const own = new Set(membersOf(group));
  const writer = new KernelWriter({
    isStored: (tensor) => isStored(tensor) && !own.has(tensor),
    load: () => '0',
    lower,
  });
  if (group.kind === 'map') writeMap(writer, group, mapLayout(group, profile), profile, () => '');
  else writeProduct(writer, group, productTile(group.node, profile), { store: () => '', vector: () => '' });
  const { accesses } = writer;
  return {
    accesses,
    reads: new Set(accesses.map(({ tensor }) => tensor)),
    positions: new Map(group.outputs.map((output) => [output, positionOf(writer, group, output)])),
  };
}

/** If outputs with several elements per row follow, those with one are written before everything is read. */
function positionOf(writer: KernelWriter, group: Group, output: Tensor): string {
  const position = writer.positionOf(output)!;
  if (group.kind === 'product') return position;
  const columns = (each: Tensor): number => columnsOf(group, each);
  const isEarly = columns(output) === 1 && group.outputs.some((other) => columns(other) > 1);
  return isEarly ? `early ${position}` : position;
}
