import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { adapterCandidates, adapterSources, type AdapterCandidate, type AdapterSource } from './adapterCandidates.ts';
import { chooseAdapter, type FoundAdapter, type ProbedAdapter } from './chooseAdapter.ts';

const probe = fileURLToPath(new URL('probeAdapter.js', import.meta.url));
const found = new Map<string | undefined, FoundAdapter | undefined>();

/**
 * The adapter for this machine's tests, undefined where it has none; the variable WEBGPU_ADAPTER asks for one source, or `none`. Where a
 * feature is needed, the first that has it, whatever source is asked for.
 */
export function findAdapter(feature?: GPUFeatureName): FoundAdapter | undefined {
  if (!found.has(feature)) {
    const asked = askedSource();
    const wish = feature ? { feature } : { asked: asked === 'none' ? undefined : asked };
    found.set(feature, asked === 'none' ? undefined : chooseAdapter(adapterCandidates(), infoOf, wish));
  }
  return found.get(feature);
}

function askedSource(): AdapterSource | 'none' | undefined {
  const asked = process.env['WEBGPU_ADAPTER'];
  if (!asked) return undefined;
  const source = [...adapterSources, 'none' as const].find((name) => name === asked);
  if (source) return source;
  throw new Error(`WEBGPU_ADAPTER is '${asked}'; expected one of ${adapterSources.join(', ')}, none.`);
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
