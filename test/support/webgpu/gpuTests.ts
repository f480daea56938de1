import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { grepOf } from '../apart/grepOf.ts';
import { registerApart, registerSkipped } from '../apart/registerApart.ts';
import { runApart } from '../apart/runApart.ts';
import { findAdapter } from './findAdapter.ts';
import { mustHaveAdapter, reportNoAdapter } from './reportNoAdapter.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

export interface GpuTestOptions {
  /** Those named *.slow.gpu.test.ts, or the others. */
  readonly slow: boolean;
  /** Seconds that all of them together may take. */
  readonly limit: number;
}

/** Registers the tests of the repository's *.gpu.test.ts files, which run in a process of their own on a WebGPU adapter. */
export async function gpuTests({ slow, limit }: GpuTestOptions): Promise<void> {
  const files = gpuTestFiles().filter((file) => file.endsWith('.slow.gpu.test.ts') === slow);
  if (files.length === 0) return;
  const adapter = findAdapter();
  const run = await runApart({
    files,
    timeout: 20_000,
    grep: grepOf(process.argv.slice(2)),
    environment: adapter?.environment ?? {},
    // Loads Dawn, which is not there on every machine.
    faults: adapter && new URL('deviceFaults.ts', import.meta.url).href,
    limit: limit * 1000,
  });
  const what = slow ? 'The slow WebGPU tests' : 'The WebGPU tests';
  if (adapter) {
    console.log(`${what} run on ${adapter.name} (${adapter.origin}).`);
    registerApart(what, run);
    return;
  }
  run.abandon();
  if (mustHaveAdapter) {
    it(`${what} find an adapter`, () => reportNoAdapter(what));
  } else {
    reportNoAdapter(what);
    if (run.root) registerSkipped(run.root);
  }
}

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
