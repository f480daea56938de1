import { HostRandomStream, type Backend } from '@flow-matching/tensor';
import { UndeclaredError } from '../backend/auditedBackend.ts';
import type { ConformanceCase } from '../case/conformanceCase.ts';
import { ConformanceError } from '../case/conformanceError.ts';
import type { Measurement } from '../case/measurement.ts';
import type { Note } from '../case/note.ts';
import type { CaseResult } from '../report/conformanceReport.ts';

export interface RunCaseOptions {
  /** Audited. */
  readonly backend: Backend;
  readonly create: () => Promise<Backend>;
  readonly seed: number;
  /** Milliseconds after which a case counts as stuck. */
  readonly timeout: number;
}

/** Runs one case; any error becomes part of its result. */
export async function runCase(testCase: ConformanceCase, options: RunCaseOptions): Promise<CaseResult> {
  const { id, level, claim, dtype } = testCase;
  const began = performance.now();
  const measurements: Measurement[] = [];
  const notes: Note[] = [];
  const context = {
    backend: options.backend,
    create: options.create,
    seed: options.seed,
    random: new HostRandomStream(options.seed, streamOf(id)),
    measure: (measurement: Measurement) => void measurements.push(measurement),
    note: (note: Note) => void notes.push(note),
  };
  const outcome = await outcomeWithin(testCase.run(context), options.timeout);
  const worst = worstOf(measurements);
  return {
    id,
    level,
    claim,
    ...(dtype && { dtype }),
    ...statusOf(outcome, worst),
    ...(worst && { measurement: worst }),
    ...(notes.length > 0 && { notes }),
    milliseconds: performance.now() - began,
  };
}

/** A 31-bit number for an id (FNV-1a), so that the draws of a case do not depend on other cases. */
function streamOf(id: string): number {
  let hash = 0x811c9dc5;
  for (const character of id) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  return hash >>> 1;
}

/** The error of a promise; undefined if it succeeds. */
async function outcomeWithin(run: Promise<void>, timeout: number): Promise<{ error: unknown } | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The case is not done after ${timeout / 1000} s.`)), timeout);
  });
  try {
    await Promise.race([run, late]);
    return undefined;
  } catch (error) {
    return { error };
  } finally {
    clearTimeout(timer);
  }
}

/** NaN is the worst. */
const worstOf = (measurements: readonly Measurement[]): Measurement | undefined =>
  measurements.reduce<Measurement | undefined>(
    (worst, own) => (worst && !(own.ratio > worst.ratio) && !Number.isNaN(own.ratio) ? worst : own),
    undefined,
  );

function statusOf(
  outcome: { error: unknown } | undefined,
  worst: Measurement | undefined,
): Pick<CaseResult, 'status' | 'message'> {
  if (outcome) {
    const { error } = outcome;
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof UndeclaredError) return { status: 'unsupported', message };
    return { status: error instanceof ConformanceError ? 'fail' : 'error', message };
  }
  if (!worst || worst.ratio <= 1) return { status: 'pass' };
  const { what, worst: element, ratio, limit } = worst;
  const where = element ? `[${element.at.join(', ')}] is ${element.actual}, expected ${element.expected}` : 'is off';
  return { status: 'fail', message: `${what} ${where}: ${ratio.toPrecision(3)} times the limit (${limit}).` };
}
