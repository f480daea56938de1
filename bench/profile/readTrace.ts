import { readFileSync } from 'node:fs';
import { lowerQuartile } from '../statistics.ts';

/** One operator of a session's graph. */
export interface Kernel {
  readonly operator: string;
  /** Of one run. */
  readonly microseconds: number;
  /** Shapes of the inputs that are there. */
  readonly inputs: readonly (readonly number[])[];
  readonly outputs: readonly (readonly number[])[];
}

/** What one run of a session does. */
export interface SessionTrace {
  /** Runs that were counted. */
  readonly runs: number;
  readonly kernels: readonly Kernel[];
  /** Microseconds of a run between the operators: the executor's bookkeeping and the trace's own. */
  readonly executor: number;
  /** Microseconds of all counted runs together. */
  readonly total: number;
}

interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
  readonly args: {
    readonly op_name?: string;
    readonly input_type_shape?: TypedShapes;
    readonly output_type_shape?: TypedShapes;
  };
}
type TypedShapes = readonly Readonly<Record<string, readonly number[]>>[];

/**
 * Reads ONNX Runtime's trace of a session, leaving out the first `warm` of its runs (0 … 1). Times are the lower quartile over
 * the runs: what else the machine does only ever adds to them.
 */
export function readTrace(file: string, warm: number): SessionTrace {
  const events = JSON.parse(readFileSync(file, 'utf8')) as TraceEvent[];
  const all = events
    .filter(({ cat, name }) => cat === 'Session' && name === 'model_run')
    .toSorted((a, b) => a.ts - b.ts);
  const runs = all.slice(Math.round(all.length * warm));
  const from = runs[0]?.ts ?? Number.POSITIVE_INFINITY;
  const counted = events.filter(({ cat, name, ts }) => cat === 'Node' && name.endsWith('_kernel_time') && ts >= from);
  const byNode = new Map<string, TraceEvent[]>();
  for (const event of counted) byNode.set(event.name, [...(byNode.get(event.name) ?? []), event]);
  const kernels = [...byNode.values()].map((same) => ({
    operator: same[0].args.op_name ?? 'unknown',
    microseconds: lowerQuartile(same.map(({ dur }) => dur)),
    inputs: shapesOf(same[0].args.input_type_shape),
    outputs: shapesOf(same[0].args.output_type_shape),
  }));
  const between = runs.map(({ ts, dur }) => {
    const inside = counted.filter((event) => event.ts >= ts && event.ts < ts + dur);
    return dur - inside.reduce((sum, event) => sum + event.dur, 0);
  });
  const total = runs.reduce((sum, { dur }) => sum + dur, 0);
  return { runs: runs.length, kernels, executor: runs.length > 0 ? lowerQuartile(between) : 0, total };
}

const shapesOf = (types: TypedShapes = []): (readonly number[])[] => types.flatMap((type) => Object.values(type));
