import { SolverError } from '../errors.ts';
import type { HostArray } from '@flow-matching/tensor';
import type { OdeResult } from './odeProgram.ts';

interface Solved {
  readonly solver: string;
  readonly end: number;
  /** Number of rows that are not padding. */
  readonly count: number;
  /** Index of the first row among all requested samples. */
  readonly firstSample?: number;
  readonly times?: readonly number[];
  /** Row of the first sample that was not finite in the last step, if the solver reports it. */
  readonly brokenRow?: number | undefined;
}

/**
 * Throws unless the result of a solve is finite. Only here does a solver's failure become an error.
 *
 * @throws SolverError if the step size of a sample vanished, or its state, its derivative or a kept state is not finite.
 *   `actual` has the status, the time, the sample (its index among all requested ones), the step, the error norm and the last
 *   state.
 */
export function requireFinite(result: OdeResult, solved: Solved): void {
  const { status, t, y, kept = {} } = result;
  const shared = status.length === 1;
  const failed = status.findIndex((each) => each === 'underflow' || each === 'nonFinite');
  const broken = firstBroken(y, solved.count);
  const row = failed >= 0 && !shared ? failed : broken?.row;
  if (failed >= 0 || broken) {
    const control = shared ? 0 : row!;
    throw failure(result, solved, {
      control,
      t: t[control],
      row: row ?? solved.brokenRow,
      problem: status[control] === 'underflow' ? 'stepVanished' : broken && broken.row === row ? 'state' : 'derivative',
    });
  }
  const left = firstBroken(kept, solved.count);
  if (!left) return;
  const times = solved.times!;
  const at = Math.floor((left.element / left.width) * times.length);
  throw failure(result, solved, { control: shared ? 0 : left.row, t: times[at], row: left.row, problem: 'state' });
}

const problems = {
  stepVanished: (of: string, at: string) => `The step size${of} vanished${at} before the tolerance was met`,
  state: (of: string, at: string) => `The state${of} is not finite${at}`,
  derivative: (of: string, at: string) => `The vector field${of} is not finite${at}`,
} as const;

interface Failure {
  readonly problem: keyof typeof problems;
  /** Index of the sample's control quantities. */
  readonly control: number;
  readonly t: number;
  readonly row: number | undefined;
}

function failure(
  { status, h, error, accepted, rejected, y }: OdeResult,
  { solver, end, count, firstSample = 0 }: Solved,
  { problem, control, t, row }: Failure,
): SolverError {
  const sample = row !== undefined && row < count ? firstSample + row : undefined;
  const of = sample === undefined ? '' : ` of sample ${sample}`;
  const [step, errorNorm] = [h[control], error[control]];
  return new SolverError(
    `${problems[problem](of, ` at t = ${Number(t.toPrecision(7))}`)}: step ${step.toExponential(2)} after ${accepted[control]} accepted and ${rejected[control]} rejected steps, error ${errorNorm.toPrecision(3)} × tolerance.`,
    {
      actual: { status: status[control], t, sample, step, errorNorm, lastState: y },
      expected: `${solver} to reach t = ${end} with finite numbers`,
      remedy:
        problem === 'stepVanished'
          ? 'Loosen rtol and atol, use another solver, or train the model further.'
          : 'Check that the parameters and the points to start from are finite, and that the field is at that time.',
    },
  );
}

interface BrokenElement {
  readonly row: number;
  /** Index of the element in its row, and the number of elements of a row. */
  readonly element: number;
  readonly width: number;
}

/** The first row with NaN or an infinity in any component. */
function firstBroken(arrays: Readonly<Record<string, HostArray>>, count: number): BrokenElement | undefined {
  let first: BrokenElement | undefined;
  for (const { data, shape } of Object.values(arrays)) {
    const width = data.length / shape[0];
    const rows = Math.min(count, first?.row ?? count);
    for (let i = 0; i < rows * width; i++) {
      if (Number.isFinite(data[i])) continue;
      first = { row: Math.floor(i / width), element: i % width, width };
      break;
    }
  }
  return first;
}
