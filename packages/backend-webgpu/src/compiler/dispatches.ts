import type { Tensor } from '@flow-matching/core';
import { isSmall } from '../memory/isSmall.ts';
import type { AdapterProfile } from './adapterProfile.ts';
import type { Group, MapGroup } from './group.ts';
import { mapLayout } from './mapKernel.ts';
import { readsOf } from './reach.ts';
import type { Schedule } from './schedule.ts';

/** Groups that one dispatch computes, none needing another: a product alone, or maps side by side. */
export interface Dispatch {
  readonly groups: readonly Group[];
}

/**
 * Puts groups that are ready at the same time into one dispatch each. Products go first: what else waits meanwhile can then go together.
 */
export function dispatches({ groups, stored }: Schedule, profile: AdapterProfile): Dispatch[] {
  const reads = new Map(groups.map((group) => [group, readsOf(group, stored, profile)]));
  const makers = new Map(groups.flatMap((group) => group.outputs.map((output) => [output, group] as const)));
  const pending = new Set(groups);
  const isReady = (group: Group): boolean =>
    [...reads.get(group)!].every((tensor) => {
      const maker = makers.get(tensor);
      return maker === undefined || maker === group || !pending.has(maker);
    });
  const result: Dispatch[] = [];
  while (pending.size > 0) {
    const ready = [...pending].filter(isReady);
    const product = ready.find(({ kind }) => kind === 'product');
    const chosen: Group[][] = product ? [[product]] : packed(ready as MapGroup[], reads, profile);
    for (const together of chosen) result.push({ groups: together });
    for (const group of chosen.flat()) pending.delete(group);
  }
  return result;
}

/** Maps side by side, as far as the bindings of a kernel reach. */
function packed(
  groups: readonly MapGroup[],
  reads: ReadonlyMap<Group, ReadonlySet<Tensor>>,
  profile: AdapterProfile,
): MapGroup[][] {
  const packs: { readonly groups: MapGroup[]; readonly tensors: Set<Tensor>; readonly size: number }[] = [];
  for (const group of groups) {
    const size = mapLayout(group, profile).workgroupSize;
    const large = [...reads.get(group)!, ...group.outputs].filter((tensor) => !isSmall(tensor));
    // One binding is for all small tensors.
    const pack = packs.find(
      (each) => each.size === size && new Set([...each.tensors, ...large]).size < profile.storageBuffers,
    );
    if (pack) {
      pack.groups.push(group);
      for (const tensor of large) pack.tensors.add(tensor);
    } else packs.push({ groups: [group], tensors: new Set(large), size });
  }
  return packs.map((pack) => pack.groups);
}
