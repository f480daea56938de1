import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { adapterCandidates, adapterSources, type AdapterCandidate, type AdapterSource } from './adapterCandidates.ts';
import { adapterName, type AdapterInfo } from './adapterName.ts';

/** What WebGPU runs on in Node. */
export interface FoundAdapter extends AdapterCandidate {
  /** For people. */
  readonly name: string;
  /** Computed by processors. */
  readonly isSoftware: boolean;
}

interface ProbedAdapter extends AdapterInfo {
  readonly features: readonly string[];
}

const probe = fileURLToPath(new URL('probeAdapter.js', import.meta.url));
const found = new Map<string | undefined, FoundAdapter | undefined>();

/**
 * The adapter for this machine's tests, undefined where it has none; the variable WEBGPU_ADAPTER asks for one source, or `none`. Where a
 * feature is needed, the first that has it, from whatever source.
 */
export function findAdapter(feature?: GPUFeatureName): FoundAdapter | undefined {
  if (!found.has(feature)) {
    const sources = askedSources();
    found.set(feature, firstAdapter(feature && sources.length > 0 ? adapterSources : sources, feature));
  }
  return found.get(feature);
}

function askedSources(): readonly AdapterSource[] {
  const asked = process.env['WEBGPU_ADAPTER'];
  if (!asked) return adapterSources;
  if (asked === 'none') return [];
  const source = adapterSources.find((name) => name === asked);
  if (source) return [source];
  throw new Error(`WEBGPU_ADAPTER is '${asked}'; expected one of ${adapterSources.join(', ')}, none.`);
}

function firstAdapter(
  sources: readonly AdapterSource[],
  feature: GPUFeatureName | undefined,
): FoundAdapter | undefined {
  if (sources.length === 0) return undefined;
  for (const candidate of adapterCandidates().filter(({ source }) => sources.includes(source))) {
    const info = infoOf(candidate);
    if (info && (feature === undefined || info.features.includes(feature)))
      return { ...candidate, name: adapterName(info), isSoftware: info.isFallbackAdapter };
  }
  return undefined;
}

function infoOf({ environment }: AdapterCandidate): ProbedAdapter | undefined {
  const { status, stdout } = spawnSync(process.execPath, [probe], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  return status === 0 ? ((JSON.parse(stdout) as ProbedAdapter | null) ?? undefined) : undefined;
}
