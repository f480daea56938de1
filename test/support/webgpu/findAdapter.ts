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

const probe = fileURLToPath(new URL('probeAdapter.js', import.meta.url));
let found: { adapter: FoundAdapter | undefined } | undefined;

/** The adapter for this machine's tests, undefined where it has none; the variable WEBGPU_ADAPTER asks for one source, or `none`. */
export function findAdapter(): FoundAdapter | undefined {
  found ??= { adapter: firstAdapter(askedSources()) };
  return found.adapter;
}

function askedSources(): readonly AdapterSource[] {
  const asked = process.env['WEBGPU_ADAPTER'];
  if (!asked) return adapterSources;
  if (asked === 'none') return [];
  const source = adapterSources.find((name) => name === asked);
  if (source) return [source];
  throw new Error(`WEBGPU_ADAPTER is '${asked}'; expected one of ${adapterSources.join(', ')}, none.`);
}

function firstAdapter(sources: readonly AdapterSource[]): FoundAdapter | undefined {
  if (sources.length === 0) return undefined;
  for (const candidate of adapterCandidates().filter(({ source }) => sources.includes(source))) {
    const info = infoOf(candidate);
    if (info) return { ...candidate, name: adapterName(info), isSoftware: info.isFallbackAdapter };
  }
  return undefined;
}

function infoOf({ environment }: AdapterCandidate): AdapterInfo | undefined {
  const { status, stdout } = spawnSync(process.execPath, [probe], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  return status === 0 ? ((JSON.parse(stdout) as AdapterInfo | null) ?? undefined) : undefined;
}
