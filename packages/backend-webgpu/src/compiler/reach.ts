import type { Tensor } from '@flow-matching/core';
import { writeProduct } from '../products/productKernel.ts';
import { productTile } from '../products/productTile.ts';
import type { AdapterProfile } from './adapterProfile.ts';
import { membersOf, type Group } from './group.ts';
import { KernelWriter, type Access } from './kernelWriter.ts';
import { mapLayout, writeMap } from './mapKernel.ts';

/** What a group touches of memory. */
export interface Reach {
  readonly accesses: readonly Access[];
  /** The stored tensors that it reads. */
  readonly reads: ReadonlySet<Tensor>;
  /** The key of the position at which its kernel has each element of an output. */
  readonly positions: ReadonlyMap<Tensor, string>;
}

/**
 * Finds what a group reads and writes, by writing its kernel for nobody.
 *
 * @throws NotAtHand where it cannot be written.
 */
export function reachOf(group: Group, isStored: (tensor: Tensor) => boolean, profile: AdapterProfile): Reach {
  const own = new Set(membersOf(group));
  const writer = new KernelWriter({ isStored: (tensor) => isStored(tensor) && !own.has(tensor), load: () => '0' });
  if (group.kind === 'map') writeMap(writer, group, mapLayout(group, profile), profile, () => '');
  else writeProduct(writer, group, productTile(group.node, profile), { store: () => '', vector: () => '' });
  const { accesses } = writer;
  return {
    accesses,
    reads: new Set(accesses.map(({ tensor }) => tensor)),
    positions: new Map(group.outputs.map((output) => [output, writer.positionOf(output)!])),
  };
}
