import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { speechDescriptor, type ChildOptions, type ListedSuite, type Message, type SentError } from './messages.ts';

export interface IsolatedOptions extends ChildOptions {
  readonly environment: Readonly<Record<string, string>>;
  /** Milliseconds that all the tests together may take. */
  readonly limit: number;
  /** Keeps to itself what the process prints on stderr, except in the report of a crash. */
  readonly quiet?: boolean;
}

export type TestEnd =
  { readonly state: 'passed' | 'skipped' } | { readonly state: 'failed'; readonly error: SentError };

/** Test files in a process of their own, so that a crash or a hang takes nothing else along. */
export interface IsolatedRun {
  /** Its tests, unless it could not even load the files. */
  readonly root: ListedSuite | undefined;
  /** Sets it going; harmless when it goes. */
  start(): void;
  /** How a test ends; one that the process did not live to run is skipped, one during which it went failed. */
  endOf(index: number): Promise<TestEnd>;
  /** What is wrong with the run as a whole: an end other than its own, hooks that failed. */
  troubles(): Promise<readonly SentError[]>;
  /** Ends it without a run. */
  abandon(): void;
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
const nodeOptions = ['--conditions=@flow-matching/source', '--import', `${root}test/support/register.js`];
const loadingLimit = 60_000;
/** Characters of what it printed on stderr that go into the report of a crash. */
const lastWords = 2000;

/** Starts the process and waits until it has listed its tests. */
export async function runIsolated({
  environment,
  limit,
  quiet = false,
  ...options
}: IsolatedOptions): Promise<IsolatedRun> {
  const child = spawn(
    process.execPath,
    [...nodeOptions, fileURLToPath(new URL('child.ts', import.meta.url)), JSON.stringify(options)],
    { cwd: root, env: { ...process.env, ...environment }, stdio: ['pipe', 'inherit', 'pipe', 'pipe'] },
  ) as ChildProcessByStdio<Writable, null, Readable>;
  const { stdin, stderr } = child;
  const speech = child.stdio[speechDescriptor] as Readable;
  // Writing to a process that has gone is no news: its exit is.
  stdin.on('error', () => undefined);

  let words = '';
  stderr.on('data', (data: Buffer) => {
    if (!quiet) process.stderr.write(data);
    words = (words + String(data)).slice(-lastWords);
  });

  const ends: Deferred<TestEnd>[] = [];
  const troubles: SentError[] = [];
  const listing = deferred<ListedSuite | undefined>();
  const titles: string[] = [];
  let running: number | undefined;
  let last: number | undefined;
  let hasStarted = false;
  let isDone = false;
  let isClosed = false;
  let overtime = '';

  function hear(message: Message): void {
    switch (message.kind) {
      case 'listed':
        titles.push(...titlesOf(message.root));
        ends.push(...titles.map(() => deferred<TestEnd>()));
        listing.resolve(message.root);
        break;
      case 'began':
        running = last = message.index;
        break;
      case 'ended':
        running = undefined;
        ends[message.index].resolve(message);
        break;
      case 'trouble':
        troubles.push(message.error);
        break;
      case 'done':
        isDone = true;
        break;
    }
  }

  createInterface({ input: speech }).on('line', (line) => hear(JSON.parse(line) as Message));

  let timer = setTimeout(() => kill(loadingLimit), loadingLimit);
  function kill(after: number): void {
    overtime = `It was ended because it was not done after ${after / 1000} s. `;
    child.kill('SIGKILL');
  }

  const closed = new Promise<void>((resolve) => {
    // Emitted when all that it said has been read.
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      isClosed = true;
      const hasCrashed = signal !== null || !isDone || (code !== 0 && code !== 1);
      if (hasCrashed) {
        const during =
          last === undefined ? 'before any test' : `${running === undefined ? 'after' : 'in'} ‘${titles[last]}’`;
        const message =
          `The tests' process ended ${during} by ${signal ?? `exit code ${code}`}. ${overtime}${words}`.trimEnd();
        if (running !== undefined) ends[running].resolve({ state: 'failed', error: { message } });
        troubles.push({ message });
      }
      for (const end of ends) end.resolve({ state: 'skipped' });
      listing.resolve(undefined);
      resolve();
    });
  });

  /** Whether it keeps this process alive. */
  function hold(kept: boolean): void {
    for (const each of [child, stdin, stderr, speech] as (Socket | typeof child)[]) each[kept ? 'ref' : 'unref']();
  }

  const listed = await listing.promise;
  if (listed) {
    clearTimeout(timer);
    hold(false);
  }

  return {
    root: listed,
    start() {
      if (hasStarted || isClosed) return;
      hasStarted = true;
      hold(true);
      timer = setTimeout(() => kill(limit), limit);
      stdin.write('go\n');
    },
    endOf: (index) => ends[index].promise,
    troubles: async () => {
      await closed;
      return troubles;
    },
    abandon: () => stdin.end(),
  };
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}

/** Full titles in the order of the tests' numbers. */
function titlesOf({ title, tests, suites }: ListedSuite): string[] {
  return [...tests.map((test) => test.title), ...suites.flatMap(titlesOf)].map((each) => `${title} ${each}`.trim());
}
