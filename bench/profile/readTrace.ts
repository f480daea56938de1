import { readFileSync } from 'node:fs';

/** One run of one operator's kernel. */
export interface KernelEvent {
  readonly operator: string;
  readonly microseconds: number;
  /** Shapes of the inputs that are there. */
  readonly inputs: readonly (readonly number[])[];
  readonly outputs: readonly (readonly number[])[];
}

/** What a session did in its last runs. */
export interface SessionTrace {
  readonly runs: number;
  readonly kernels: readonly KernelEvent[];
  /** Microseconds between the operators: the executor's bookkeeping and the trace's own. */
  readonly executor: number;
  /** Microseconds of whole runs. */
  readonly total: number;
}

interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
  readonly args: {
    readonly op_name?: string;
    readonly input_type_shape?: readonly Readonly<Record<string, readonly number[]>>[];
    readonly output_type_shape?: readonly Readonly<Record<string, readonly number[]>>[];
  };
}

/** Reads ONNX Runtime's trace of a session, leaving out the first `warm` of its runs (0 … 1). */
export function readTrace(file: string, warm: number): SessionTrace {
  const events = JSON.parse(readFileSync(file, 'utf8')) as TraceEvent[];
  const runs = events
    .filter(({ cat, name }) => cat === 'Session' && name === 'model_run')
    .toSorted((a, b) => a.ts - b.ts);
  const counted = runs.slice(Math.round(runs.length * warm));
  const from = counted[0]?.ts ?? Number.POSITIVE_INFINITY;
  const kernels = events
    .filter(({ cat, name, ts }) => cat === 'Node' && name.endsWith('_kernel_time') && ts >= from)
    .map(({ dur, args }) => ({
      operator: args.op_name ?? 'unknown',
      microseconds: dur,
      inputs: shapesOf(args.input_type_shape),
      outputs: shapesOf(args.output_type_shape),
    }));
  const total = counted.reduce((sum, { dur }) => sum + dur, 0);
  const inKernels = kernels.reduce((sum, { microseconds }) => sum + microseconds, 0);
  return { runs: counted.length, kernels, executor: total - inKernels, total };
}

const shapesOf = (types: TraceEvent['args']['input_type_shape'] = []): (readonly number[])[] =>
  types.flatMap((type) => Object.values(type));
