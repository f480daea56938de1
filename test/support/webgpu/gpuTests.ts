import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { grepOf } from '../isolated/grepOf.ts';
import { registerIsolated, registerSkipped } from '../isolated/registerIsolated.ts';
import { runIsolated } from '../isolated/runIsolated.ts';
import { findAdapter } from './findAdapter.ts';
import { adapterOfHalves, anyAdapter, reportNoAdapter } from './reportNoAdapter.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Which of the tests: those named *.slow.gpu.test.ts, those named *.f16.gpu.test.ts, or all others. */
export type GpuTestKind = 'fast' | 'slow' | 'f16';

export interface GpuTestOptions {
  readonly kind: GpuTestKind;
  /** Seconds that all of them together may take. */
  readonly limit: number;
}

const titles: Readonly<Record<GpuTestKind, string>> = {
  fast: 'The WebGPU tests',
  slow: 'The slow WebGPU tests',
  f16: 'The WebGPU tests of f16',
};

/** Registers the tests of the repository's *.gpu.test.ts files, which run in a process of their own on a WebGPU adapter. */
export async function gpuTests({ kind, limit }: GpuTestOptions): Promise<void> {
  const files = gpuTestFiles().filter((file) => kindOf(file) === kind);
  if (files.length === 0) return;
  const need = kind === 'f16' ? adapterOfHalves : anyAdapter;
  const adapter = findAdapter(need.feature);
  const run = await runIsolated({
    files,
    timeout: 20_000,
    grep: grepOf(process.argv.slice(2)),
    environment: adapter?.environment ?? {},
    // Loads Dawn, which is not there on every machine.
    faults: adapter && new URL('deviceFaults.ts', import.meta.url).href,
    limit: limit * 1000,
  });
  const what = titles[kind];
  if (adapter) {
    console.log(`${what} run on ${adapter.name} (${adapter.origin}).`);
    registerIsolated(what, run);
    return;
  }
  run.abandon();
  if (need.required) {
    it(`${what} find an adapter`, () => reportNoAdapter(what, need));
  } else {
    reportNoAdapter(what, need);
    if (run.root) registerSkipped(run.root);
  }
}

const kindOf = (file: string): GpuTestKind =>
  file.endsWith('.slow.gpu.test.ts') ? 'slow' : file.endsWith('.f16.gpu.test.ts') ? 'f16' : 'fast';

const gpuTestFiles = (): string[] =>
  ['test', ...['packages', 'examples'].flatMap((folder) => childrenOf(folder).map((name) => `${folder}/${name}/test`))]
    .flatMap((folder) => childrenOf(folder, true).map((name) => join(root, folder, name)))
    .filter((file) => file.endsWith('.gpu.test.ts'))
    .toSorted();

function childrenOf(folder: string, recursive = false): string[] {
  try {
    return readdirSync(join(root, folder), { encoding: 'utf8', recursive });
  } catch {
    // Not every package has tests, nor is every entry a folder.
    return [];
  }
}
