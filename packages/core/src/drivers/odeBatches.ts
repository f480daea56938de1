import {
  type BackendArray,
  type Tree,
  allocate,
  type HostArray,
  checkPositiveInteger,
  largestBatch,
} from '@flow-matching/tensor';
import type { Solver, SolverStatus } from '../contracts/solver.ts';
import type { OdeResult } from '../solve/odeProgram.ts';
import type { FlowInputs, OdeProgramRequest, OdePrograms } from './odePrograms.ts';

export interface SolveOptions {
  /** Number of samples solved together. Default 4096, or fewer if fewer are requested. */
  readonly batchSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Counts of a solve over all its samples. */
export interface SolveCounts {
  /** Field evaluations of one sample's solve, the largest over batches and samples. */
  readonly functionEvaluations: number;
  readonly acceptedSteps: number;
  readonly rejectedSteps: number;
  /** How each sample's solve ended, [count]. */
  readonly status: readonly SolverStatus[];
  /** Where the first solve that did not reach its end stopped; absent if all reached it. */
  readonly stopped?: StoppedSolve;
}

export interface StoppedSolve {
  /** Index of the sample. */
  readonly sample: number;
  readonly t: number;
  /** Size of the next step. */
  readonly step: number;
  /** Scaled error of the last step; 1 is the tolerance. */
  readonly error: number;
}

/** The common part of a solve over many batches. */
export interface BatchedSolve {
  readonly programs: OdePrograms;
  readonly solver: Solver;
  /** What the program of a batch depends on, for a number of rows. */
  readonly request: (rows: number) => OdeProgramRequest;
  readonly count: number;
  readonly start: number;
  readonly end: number;
  readonly arrays: Tree<BackendArray>;
  readonly times?: readonly number[] | undefined;
  /** Seed of the draws of a stochastic solver. */
  readonly seed?: number;
  /** Inputs of the batch whose first sample is `first`: rows beyond `count` are padding. */
  inputs(first: number, rows: number, count: number): FlowInputs<HostArray>;
}

const defaultBatchSize = 4096;

/** Rows of the program for `count` samples: a power of two, so that few programs serve all counts. */
const rowsFor = (count: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, count)));

/** Solves `count` samples in batches and joins the results without padding. @throws OptionError for an invalid batch size. */
export async function solveInBatches(
  solve: BatchedSolve,
  { batchSize = defaultBatchSize, signal, onProgress }: SolveOptions,
): Promise<{ y: Record<string, HostArray>; kept: Record<string, HostArray>; counts: SolveCounts }> {
  const { programs, solver, count, start, end, arrays, times } = solve;
  checkPositiveInteger('batchSize', batchSize, largestBatch);
  const results: { result: OdeResult; count: number }[] = [];
  for (let first = 0; first < count; first += batchSize) {
    const part = Math.min(batchSize, count - first);
    const rows = part === batchSize ? batchSize : Math.min(batchSize, rowsFor(part));
    const program = await programs.open(solver, solve.request(rows));
    try {
      const result = await program.run(arrays, solve.inputs(first, rows, part), {
        start,
        end,
        count: part,
        ...(times && { times }),
        ...(solve.seed !== undefined && { seed: solve.seed }),
        firstSample: first,
        signal,
        onStep: onProgress && ((share) => onProgress(first + part * share, count)),
      });
      results.push({ result, count: part });
    } finally {
      await program.dispose();
    }
    onProgress?.(first + part, count);
  }
  const joined = (pick: (result: OdeResult) => Readonly<Record<string, HostArray>>): Record<string, HostArray> =>
    joinRows(results.map(({ result, count: part }) => [pick(result), part]));
  const most = (pick: (result: OdeResult) => ArrayLike<number>): number =>
    results.reduce(
      (most, { result, count: part }) =>
        Array.from(pick(result))
          .slice(0, Math.max(1, part))
          .reduce((a, b) => Math.max(a, b), most),
      0,
    );
  return {
    y: joined((result) => result.y),
    kept: joined((result) => result.kept ?? {}),
    counts: {
      functionEvaluations: most((result) => result.evaluations),
      acceptedSteps: most((result) => result.accepted),
      rejectedSteps: most((result) => result.rejected),
      status: results.flatMap(({ result, count: part }) =>
        result.status.length === 1
          ? new Array<SolverStatus>(part).fill(result.status[0])
          : result.status.slice(0, part),
      ),
      ...firstStopped(results),
    },
  };
}

function firstStopped(results: readonly { result: OdeResult; count: number }[]): { stopped?: StoppedSolve } {
  let first = 0;
  for (const { result, count } of results) {
    const row = result.status.slice(0, count).findIndex((status) => status !== 'done');
    if (row >= 0)
      return { stopped: { sample: first + row, t: result.t[row], step: result.h[row], error: result.error[row] } };
    first += count;
  }
  return {};
}

/** The first `count` rows of each part, one after another, name by name. */
function joinRows(
  parts: readonly (readonly [Readonly<Record<string, HostArray>>, number])[],
): Record<string, HostArray> {
  const names = Object.keys(parts[0]?.[0] ?? {});
  return Object.fromEntries(
    names.map((name) => {
      const pieces = parts.map(([arrays, count]) => {
        const array = arrays[name];
        return { array, kept: array.data.subarray(0, (array.data.length / array.shape[0]) * count), count };
      });
      const { shape, dtype } = pieces[0].array;
      // A backend may return more precision than the dtype (the reference does), so the data's own type is kept.
      const whole =
        pieces[0].array.data instanceof Float64Array ? new Float64Array(total(pieces)) : allocate(dtype, total(pieces));
      let offset = 0;
      for (const { kept } of pieces) {
        whole.set(kept, offset);
        offset += kept.length;
      }
      return [
        name,
        { data: whole, shape: [pieces.reduce((sum, { count }) => sum + count, 0), ...shape.slice(1)], dtype },
      ];
    }),
  );
}

const total = (pieces: readonly { kept: { length: number } }[]): number =>
  pieces.reduce((sum, { kept }) => sum + kept.length, 0);

/** Rows `first` … of an array, padded to `rows` by repeating the last one. */
export function paddedRows(array: HostArray, first: number, rows: number, count: number): HostArray {
  const width = array.data.length / array.shape[0];
  const part = array.data.subarray(first * width, (first + count) * width);
  const shape = [rows, ...array.shape.slice(1)];
  if (count === rows) return { data: part, shape, dtype: array.dtype };
  const data = allocate(array.dtype, rows * width);
  data.set(part);
  for (let row = count; row < rows; row++) data.set(part.subarray((count - 1) * width, count * width), row * width);
  return { data, shape, dtype: array.dtype };
}
