import { expect } from 'chai';
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Thread } from './support/runInThread.ts';

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

interface Outcome {
  /** 42, or an error's code and message. */
  readonly result: number | string;
  /** What the process has for ORT_DISABLE_TELEMETRY. */
  readonly variable: string | null;
  /** Files that were written to the user's folders. */
  readonly written: readonly string[];
}

describe("ONNX Runtime's telemetry", () => {
  let folder: string;
  let script: string;

  before(async () => {
    // Inside the repository, so that onnxruntime-node is found; as one file, because processes and workers load it many times.
    folder = mkdtempSync(path('../../../node_modules/.telemetry-'));
    script = join(folder, 'runInThread.mjs');
    await build({
      entryPoints: [path('support/runInThread.ts')],
      outfile: script,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      conditions: ['@flow-matching/source'],
      external: ['onnxruntime-node'],
      tsconfig: path('../../../tsconfig.base.json'),
    });
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Runs a graph in a process of its own, whose user's folders are empty. */
  function runIn(thread: Thread, variables: NodeJS.ProcessEnv = {}, flags: readonly string[] = []): Outcome {
    const home = mkdtempSync(join(folder, 'home-'));
    const { ORT_DISABLE_TELEMETRY: _, XDG_CACHE_HOME: __, ...environment } = process.env;
    const { stdout, stderr } = spawnSync(process.execPath, [...flags, script, thread], {
      encoding: 'utf8',
      env: { ...environment, HOME: home, USERPROFILE: home, LOCALAPPDATA: home, ...variables },
    });
    if (!stdout) throw new Error(stderr);
    const written = readdirSync(home, { recursive: true, encoding: 'utf8' });
    return { ...(JSON.parse(stdout) as Omit<Outcome, 'written'>), written };
  }

  const threads: readonly Thread[] = [
    'main',
    'worker',
    'worker that shares the environment',
    'worker of a worker, with an environment of its own',
  ];
  for (const thread of threads)
    it(`is off for the process, and writes no file: ${thread}`, () => {
      expect(runIn(thread)).to.deep.equal({ result: 42, variable: '1', written: [] });
    });

  // Not '0', with which ONNX Runtime would report this test.
  for (const thread of ['main', 'worker'] as const)
    it(`is left to a user who has set the variable: ${thread}`, () => {
      expect(runIn(thread, { ORT_DISABLE_TELEMETRY: 'true' }).variable).to.equal('true');
    });

  it('is an error in a worker that cannot turn it off, and not where the process has it off already', () => {
    const permission = process.allowedNodeEnvironmentFlags.has('--permission')
      ? '--permission'
      : '--experimental-permission';
    const flags = [permission, '--no-warnings', '--allow-worker', '--allow-fs-read=*', '--allow-fs-write=*'];
    if (process.allowedNodeEnvironmentFlags.has('--allow-addons')) flags.push('--allow-addons');
    const { result, ...rest } = runIn('worker', {}, flags);
    expect(rest).to.deep.equal({ variable: null, written: [] });
    expect(result).to.match(
      /^FM_BACKEND A worker thread cannot turn off ONNX Runtime's telemetry here\..*ORT_DISABLE_TELEMETRY=1/s,
    );
    expect(runIn('worker', { ORT_DISABLE_TELEMETRY: '1' }, flags).result).to.equal(42);
  });
});
