import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { fuzzCase } from './runCase.ts';
import { fuzzTargets } from './targets.ts';
import type { FuzzProblem, FuzzWork } from './worker.ts';

export interface FuzzOptions {
  readonly seed: number;
  /** Stop after this long, or after this many cases, whichever comes first. */
  readonly seconds?: number;
  readonly cases?: number;
  /** The first case. */
  readonly from?: number;
  /** Milliseconds after which a reader of a few kilobytes counts as hanging: generous, for busy machines. */
  readonly longest?: number;
  readonly broken?: FuzzWork['broken'];
}

export interface FuzzFailure extends FuzzProblem {
  readonly target: string;
  /** Where the input was saved. */
  readonly file: string;
}

export interface FuzzReport {
  readonly cases: number;
  readonly failures: readonly FuzzFailure[];
}

const mostHeap = 1024;

/** Reads mutated inputs of every format in a thread that is watched. */
export async function fuzz({
  seed,
  seconds = Infinity,
  cases = 2 ** 31 - 1,
  from = 0,
  longest = 30_000,
  broken,
}: FuzzOptions): Promise<FuzzReport> {
  const folder = mkdtempSync(join(tmpdir(), 'flow-matching-fuzz-'));
  const targets = fuzzTargets(folder);
  const failures: FuzzFailure[] = [];
  const fail = ({ index, problem }: FuzzProblem): void => {
    const { target, input } = fuzzCase(targets, seed, index);
    const file = join(folder, `${index}.input`);
    writeFileSync(file, input);
    failures.push({ index, problem, target: target.name, file });
  };
  const end = performance.now() + seconds * 1000;
  const last = from + cases;
  let next = from;
  while (next < last && performance.now() < end) {
    const work = { seed, from: next, to: last, folder: join(folder, 'work'), progress: new SharedArrayBuffer(4) };
    next = await watched({ ...work, ...(broken && { broken }) }, { end, longest, fail });
  }
  rmSync(join(folder, 'work'), { recursive: true, force: true });
  if (failures.length === 0) rmSync(folder, { recursive: true, force: true });
  return { cases: next - from, failures };
}

/** Runs cases in a worker until the end, or until one of them hangs or takes the memory. Returns the case to go on from. */
function watched(
  work: FuzzWork,
  { end, longest, fail }: { end: number; longest: number; fail: (problem: FuzzProblem) => void },
): Promise<number> {
  // Below the first case until the worker has loaded what it needs.
  const at = new Int32Array(work.progress).fill(work.from - 1);
  const worker = new Worker(new URL('worker.ts', import.meta.url), {
    workerData: work,
    resourceLimits: { maxOldGenerationSizeMb: mostHeap },
  });
  return new Promise((resolve) => {
    let [index, since] = [work.from - 1, performance.now()];
    const watch = setInterval(() => {
      const now = Atomics.load(at, 0);
      if (now !== index) [index, since] = [now, performance.now()];
      if (performance.now() - since > (now < work.from ? 10 * longest : longest))
        stop(`It took more than ${longest / 1000} seconds.`);
      else if (performance.now() > end) stop();
    }, 100);
    const stop = (problem?: string): void => {
      clearInterval(watch);
      worker.removeAllListeners('exit');
      const current = Atomics.load(at, 0);
      if (problem !== undefined) fail({ index: current, problem });
      void worker
        .terminate()
        .then(() => resolve(Math.max(current, work.from) + (problem === undefined && current < work.from ? 0 : 1)));
    };
    worker.on('message', fail);
    worker.on('error', (error) => stop(error.stack ?? error.message));
    worker.on('exit', () => {
      clearInterval(watch);
      resolve(work.to);
    });
  });
}
