import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { runCommandLine } from '../../src/runCommandLine.ts';

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command in this process. Paths should be absolute: the working directory stays. */
export async function inProcess(...args: string[]): Promise<Outcome> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const status = await runCommandLine(args, { stdout, stderr: stderr as unknown as NodeJS.WriteStream });
  return { status, stdout: written(stdout), stderr: written(stderr) };
}

const written = (stream: PassThrough): string => (stream.read() as Buffer | null)?.toString() ?? '';

const register = new URL('../../../../test/support/register.js', import.meta.url).href;
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Starts the command as a process of its own, which loads `imports` before anything else. */
export function start(
  args: readonly string[],
  cwd: string,
  {
    imports = [],
    environment = {},
  }: { readonly imports?: readonly string[]; readonly environment?: Readonly<Record<string, string>> } = {},
): { readonly child: ChildProcess; readonly ended: Promise<Outcome & { signal: NodeJS.Signals | null }> } {
  const modules = [...imports, register].flatMap((module) => ['--import', module]);
  const child = spawn(process.execPath, ['--conditions=source', ...modules, main, ...args], {
    cwd,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const ended = new Promise<Outcome & { signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal, ...output }));
  });
  return { child, ended };
}

/** Resolves once the process has written text that matches to stderr. @throws where it ends before. */
export async function seen({ child, ended }: ReturnType<typeof start>, pattern: RegExp): Promise<void> {
  let text = '';
  await Promise.race([
    new Promise<void>((resolve) => {
      child.stderr!.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (pattern.test(text)) resolve();
      });
    }),
    ended.then(({ stderr }) => {
      if (!pattern.test(stderr)) throw new Error(`ended without ${String(pattern)}: ${stderr}`);
    }),
  ]);
}

/** A folder of its own for each test, removed afterwards: call it in a describe. */
export function temporaryFolder(): { readonly path: string; file(name: string): string } {
  let path = '';
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'flow-matching-'));
  });
  afterEach(() => rmSync(path, { recursive: true, force: true }));
  return {
    get path() {
      return path;
    },
    file: (name) => join(path, name),
  };
}
