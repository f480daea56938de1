import type { Tensor } from '@flow-matching/tensor';
import { isSmall } from '../memory/isSmall.ts';
import type { AdapterProfile } from './adapterProfile.ts';
import { mapLayout } from './mapKernel.ts';
import type { Schedule, ScheduledGroup } from './schedule.ts';

/** Independent groups computed by one dispatch: a single product, or several maps. */
export interface Dispatch {
  readonly groups: readonly ScheduledGroup[];
}

/** Puts groups that are ready at the same time into one dispatch. Products go first, so that maps that wait meanwhile can share a dispatch. */
export function dispatches({ groups }: Schedule, profile: AdapterProfile): Dispatch[] {
  const makers = new Map(groups.flatMap((each) => each.group.outputs.map((output) => [output, each] as const)));
  const pending = new Set(groups);
  const isReady = (each: ScheduledGroup): boolean =>
    [...each.footprint.reads].every((tensor) => {
      const maker = makers.get(tensor);
      return maker === undefined || maker === each || !pending.has(maker);
    });
  const result: Dispatch[] = [];
  while (pending.size > 0) {
    const ready = [...pending].filter(isReady);
    const product = ready.find(({ group }) => group.kind === 'product');
    const chosen = product ? [[product]] : packed(ready, profile);
    for (const together of chosen) result.push({ groups: together });
    for (const each of chosen.flat()) pending.delete(each);
  }
  return result;
}

interface Pack {
  readonly groups: ScheduledGroup[];
  readonly tensors: Set<Tensor>;
  readonly workgroupSize: number;
}

/** Maps that share a dispatch, as far as the bindings of a kernel allow. */
function packed(groups: readonly ScheduledGroup[], profile: AdapterProfile): ScheduledGroup[][] {
  const packs: Pack[] = [];
  for (const each of groups) {
    const { group, footprint } = each;
    if (group.kind !== 'map') continue;
    const { workgroupSize } = mapLayout(group, profile);
    const large = [...footprint.reads, ...group.outputs].filter((tensor) => !isSmall(tensor));
    // All small tensors share one binding.
    const pack = packs.find(
      (other) =>
        other.workgroupSize === workgroupSize && new Set([...other.tensors, ...large]).size < profile.storageBuffers,
    );
    if (pack) {
      pack.groups.push(each);
      for (const tensor of large) pack.tensors.add(tensor);
    } else packs.push({ groups: [each], tensors: new Set(large), workgroupSize });
  }
  return packs.map((pack) => pack.groups);
}
