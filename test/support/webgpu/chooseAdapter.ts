import type { AdapterCandidate, AdapterSource } from './adapterCandidates.ts';
import { adapterName, type AdapterInfo } from './adapterName.ts';

/** What WebGPU runs on in Node. */
export interface FoundAdapter extends AdapterCandidate {
  /** For people. */
  readonly name: string;
  /** Computed by processors. */
  readonly isSoftware: boolean;
}

/** What an adapter tells of itself. */
export interface ProbedAdapter extends AdapterInfo {
  readonly features: readonly string[];
}

export interface AdapterWish {
  /** The one source that a person asks for. */
  readonly asked?: AdapterSource | undefined;
  /** What the adapter must have. */
  readonly feature?: GPUFeatureName | undefined;
}

/**
 * The adapter that tests run on: a GPU of the machine's own, or else the software adapter of the development dependencies, which every version of
 * this repository is tested on. Software that happens to be installed is no judge of the code, and is taken only where it is asked for, or has a feature
 * that the others lack.
 */
export function chooseAdapter(
  candidates: readonly AdapterCandidate[],
  probe: (candidate: AdapterCandidate) => ProbedAdapter | undefined,
  { asked, feature }: AdapterWish = {},
): FoundAdapter | undefined {
  const order: readonly AdapterSource[] = asked
    ? [asked]
    : feature
      ? ['own', 'package', 'installed']
      : ['own', 'package'];
  for (const source of order) {
    for (const candidate of candidates.filter((other) => other.source === source)) {
      const info = probe(candidate);
      if (!info || (feature && !info.features.includes(feature))) continue;
      // The machine's Vulkan loader finds installed software too.
      if (source === 'own' && !asked && info.isFallbackAdapter) continue;
      return { ...candidate, name: adapterName(info), isSoftware: info.isFallbackAdapter };
    }
  }
  return undefined;
}
