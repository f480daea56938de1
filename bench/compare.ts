import { setTimeout as sleep } from 'node:timers/promises';
import type { PreparedWork, Subject } from './subject.ts';
import { median, pairedRatio, type Ratio } from './statistics.ts';
import type { Work } from './works.ts';

/** One subject's timings of one work. */
export interface Timing {
  readonly subject: string;
  /** Milliseconds an operation: rounds × timings. */
  readonly rounds: readonly (readonly number[])[];
  readonly median: number;
  readonly least: number;
  readonly evaluations?: number | undefined;
  readonly check?: number | undefined;
  /** Their time over that of the first subject, which is ours; absent for the first. */
  readonly ratio?: Ratio | undefined;
}

export interface Comparison {
  readonly work: Work;
  readonly timings: readonly Timing[];
  /** Subjects that could not do the work, and why: the last line says most. */
  readonly failures: readonly { readonly subject: string; readonly reason: string }[];
}

export interface CompareOptions {
  readonly rounds: number;
  readonly signal: AbortSignal;
  readonly onProgress: (message: string) => void;
}

/** Threads that a subject keeps spinning after its work have gone to sleep by then. */
const settleMilliseconds = 250;

interface Contestant {
  readonly subject: Subject;
  readonly prepared: PreparedWork;
  readonly rounds: number[][];
}

/**
 * Times a work on all subjects in turns, A B C A B C …, so that a machine that slows down does so for all. A subject that fails is
 * left out from then on; an abort ends after the running turn and keeps the whole rounds.
 */
export async function compare(
  work: Work,
  subjects: readonly Subject[],
  { rounds, signal, onProgress }: CompareOptions,
): Promise<Comparison> {
  const failures: { subject: string; reason: string }[] = [];
  const attempt = async <T>(subject: Subject, doing: string, run: () => Promise<T>): Promise<T | undefined> => {
    if (signal.aborted || failures.some((failure) => failure.subject === subject.name)) return undefined;
    onProgress(`${work.id}: ${doing} ${subject.name}`);
    try {
      return await run();
    } catch (error) {
      if (!signal.aborted) failures.push({ subject: subject.name, reason: messageOf(error) });
      return undefined;
    }
  };

  const contestants: Contestant[] = [];
  for (const subject of subjects) {
    const prepared = await attempt(subject, 'preparing', () => subject.prepare(work));
    if (prepared) contestants.push({ subject, prepared, rounds: [] });
  }
  for (let round = 0; round < rounds && !signal.aborted; round++) {
    for (const { subject, prepared, rounds: done } of contestants) {
      await sleep(settleMilliseconds);
      const timings = await attempt(subject, `round ${round + 1} of ${rounds},`, () => prepared.measure(work.timings));
      if (timings) done.push(timings);
    }
  }
  const timings: Timing[] = [];
  for (const { subject, prepared, rounds: done } of contestants) {
    const check = await attempt(subject, 'checking', () => prepared.check());
    if (done.length > 0) {
      timings.push({
        subject: subject.name,
        rounds: done,
        median: median(done.flat()),
        least: Math.min(...done.flat()),
        evaluations: prepared.evaluations,
        check,
        ...(subject !== subjects[0] &&
          contestants[0].subject === subjects[0] && { ratio: pairedRatio(done, contestants[0].rounds) }),
      });
    }
    // A subject that has died has nothing left to release.
    await prepared.release().catch(() => {});
  }
  return { work, timings, failures };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
