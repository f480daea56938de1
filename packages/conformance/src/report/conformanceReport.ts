import type { DType } from '@flow-matching/tensor';
import { levels, type Level } from '../case/level.ts';
import type { Measurement } from '../case/measurement.ts';
import type { Note } from '../case/note.ts';

/** `fail`: a claim does not hold; `error`: it could not be checked; `unsupported`: the manifest does not declare what the case needs. */
export const statuses = ['pass', 'fail', 'error', 'unsupported'] as const;
export type Status = (typeof statuses)[number];

export interface CaseResult {
  readonly id: string;
  readonly level: Level;
  readonly dtype?: DType;
  readonly claim: string;
  readonly status: Status;
  /** The comparison closest to its limit, or the one that exceeded it most. */
  readonly measurement?: Measurement;
  /** Quantities without a limit. */
  readonly notes?: readonly Note[];
  /** Message of the failure, or the missing operator. */
  readonly message?: string;
  readonly milliseconds: number;
  /** The command that runs this case alone. */
  readonly rerun?: string;
}

/** Cases by status. The denominator is their sum; unsupported ones are never passes. */
export type Tally = Readonly<Record<Status, number>>;

/** One row of the table: cases of a level and a dtype; `-` for no single dtype. */
export interface Total {
  readonly level: Level;
  readonly dtype: DType | '-';
  readonly tally: Tally;
}

/** The results of a run as plain data: report.json. */
export interface ConformanceReport {
  /** Version of this structure. */
  readonly version: 1;
  readonly backend: { readonly name: string; readonly device: string };
  readonly seed: number;
  /** Versions of the packages that the results depend on, by name, if known to the caller. */
  readonly versions?: Readonly<Record<string, string>>;
  /** The number of selected cases, if the run was stopped early. Such a run has not passed. */
  readonly interrupted?: { readonly chosen: number };
  readonly results: readonly CaseResult[];
  readonly totals: readonly Total[];
  /** Whether no case failed or ended in an error. */
  readonly passed: boolean;
  readonly milliseconds: number;
}

export const tallyOf = (results: readonly CaseResult[]): Tally =>
  Object.fromEntries(
    statuses.map((status) => [status, results.filter((result) => result.status === status).length]),
  ) as Record<Status, number>;

export function totalsOf(results: readonly CaseResult[]): Total[] {
  return levels.flatMap((level) => {
    const own = results.filter((result) => result.level === level);
    const dtypes = new Set(own.map(({ dtype }): Total['dtype'] => dtype ?? '-'));
    return [...dtypes].map((dtype) => ({
      level,
      dtype,
      tally: tallyOf(own.filter((result) => (result.dtype ?? '-') === dtype)),
    }));
  });
}
