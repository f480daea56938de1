import type { Tensor } from '@flow-matching/core';
import { writeProduct } from '../products/productKernel.ts';
import { productTile } from '../products/productTile.ts';
import type { AdapterProfile } from './adapterProfile.ts';
import { membersOf, type Group } from './group.ts';
import { KernelWriter, type Access } from './kernelWriter.ts';
import { mapLayout, writeMap } from './mapKernel.ts';

/**
 * What a group reads of stored tensors and where, found by writing its kernel for nobody.
 *
 * @throws NotAtHand where it cannot be written.
 */
export function accessesOf(
  group: Group,
  isStored: (tensor: Tensor) => boolean,
  profile: AdapterProfile,
): { readonly accesses: readonly Access[]; readonly writer: KernelWriter } {
  const own = new Set(membersOf(group));
  const writer = new KernelWriter({ isStored: (tensor) => isStored(tensor) && !own.has(tensor), load: () => '0' });
  if (group.kind === 'map') writeMap(writer, group, mapLayout(group, profile), profile, () => '');
  else writeProduct(writer, group, productTile(group.node, profile), { store: () => '', vector: () => '' });
  return { accesses: writer.accesses, writer };
}

/** The tensors that a group of a finished schedule reads. */
export const readsOf = (group: Group, stored: ReadonlySet<Tensor>, profile: AdapterProfile): Set<Tensor> =>
  new Set(accessesOf(group, (tensor) => stored.has(tensor), profile).accesses.map(({ tensor }) => tensor));
