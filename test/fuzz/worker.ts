import { mkdirSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { fuzzCase, problemOf } from './runCase.ts';
import { fuzzTargets, type FuzzTarget } from './targets.ts';

/** What a worker is told, and where it says which case it is at. */
export interface FuzzWork {
  readonly seed: number;
  /** The first case, and the one after the last. */
  readonly from: number;
  readonly to: number;
  readonly folder: string;
  /** [index of the running case]. */
  readonly progress: SharedArrayBuffer;
  /** For the tests of this command: the reader of this case fails so. */
  readonly broken?: { readonly index: number; readonly how: 'throws' | 'hangs' };
}

export interface FuzzProblem {
  readonly index: number;
  readonly problem: string;
}

const { seed, from, to, folder, progress, broken } = workerData as FuzzWork;
mkdirSync(folder, { recursive: true });
const at = new Int32Array(progress);
const brokenTarget: FuzzTarget = {
  name: 'broken',
  samples: [],
  read() {
    if (broken?.how === 'throws') throw new Error('broken on purpose');
    for (;;);
  },
};
const targets = fuzzTargets(folder);
for (let index = from; index < to; index++) {
  Atomics.store(at, 0, index);
  const testCase = fuzzCase(targets, seed, index);
  const problem = await problemOf(index === broken?.index ? { ...testCase, target: brokenTarget } : testCase);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of a worker has none
  if (problem !== undefined) parentPort!.postMessage({ index, problem } satisfies FuzzProblem);
}
