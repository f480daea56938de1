import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
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

interface StartOptions {
  readonly imports?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly stdio?: StdioOptions;
  /** Instead of the command. */
  readonly program?: string;
}

/** The program and the arguments that run a command line from the sources. */
export const commandOf = (
  args: readonly string[],
  { imports = [], program = main }: StartOptions = {},
): [string, ...string[]] => [
  process.execPath,
  '--conditions=@flow-matching/source',
  ...[...imports, register].flatMap((module) => ['--import', module]),
  program,
  ...args,
];

/** Starts the command as a process of its own, which loads `imports` before anything else. */
export function start(
  args: readonly string[],
  cwd: string,
  options: StartOptions = {},
): { readonly child: ChildProcess; readonly ended: Promise<Outcome & { signal: NodeJS.Signals | null }> } {
  const [node, ...rest] = commandOf(args, options);
  const { environment = {}, stdio = ['ignore', 'pipe', 'pipe'] } = options;
  const child = spawn(node, rest, { cwd, env: { ...process.env, ...environment }, stdio });
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
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

/** Resolves once a condition holds; the test's own time limit is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** The whole lines of a file; none where there is no file. */
export const lines = (file: string): string[] =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];

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
