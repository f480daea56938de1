import {
  type Backend,
  OptionError,
  Graph,
  input,
  hostArray,
  checkInteger,
  largestStepCount,
} from '@flow-matching/tensor';
import type { Solver } from '../contracts/solver.ts';

/** The interval of a solve, and times on it at which to keep the state. */
export interface SolveInterval {
  readonly start: number;
  readonly end: number;
  readonly times?: readonly number[];
}

/**
 * Refuses an interval that cannot be integrated over. Times are f32, so an interval that rounds to a single f32 is empty.
 *
 * @throws OptionError if an end is not finite, the interval is empty, or a kept time lies outside it.
 */
export function checkInterval({ start, end, times = [] }: SolveInterval): void {
  const [first, last] = [Math.fround(start), Math.fround(end)];
  if (!Number.isFinite(first) || !Number.isFinite(last) || first === last) {
    throw new OptionError(`Cannot integrate from t = ${start} to t = ${end}.`, {
      actual: { start, end },
      expected: 'two finite times that differ in f32',
    });
  }
  const [least, most] = [Math.min(first, last), Math.max(first, last)];
  const outside = times.find((time) => !(Math.fround(time) >= least && Math.fround(time) <= most));
  if (outside === undefined) return;
  throw new OptionError(`The state cannot be kept at t = ${outside}: the solve runs from ${start} to ${end}.`, {
    actual: outside,
    expected: `times from ${Math.min(start, end)} to ${Math.max(start, end)}`,
  });
}

/** @throws OptionError naming the solver, for a number of fixed steps that it cannot take. */
export function checkStepCount(name: string, steps: number): void {
  checkInteger(`The solver '${name}' cannot take ${steps} steps.`, steps, { largest: largestStepCount });
}

/** Spacing of floats near 1: a step's result is rounded by up to half of it. */
const spacing = { f32: 2 ** -23, f64: 2 ** -52 } as const;

/**
 * Refuses tolerances that rounding alone exceeds: a solver would take thousands of steps to reduce an error that no step size
 * removes. The backend's precision is queried only if f32 would not be enough.
 *
 * @throws OptionError naming the option and the smallest achievable value.
 */
export async function checkResolution(solver: Solver, backend: Pick<Backend, 'compile'>): Promise<void> {
  if (unresolved(solver, 'f32') === undefined) return;
  const dtype = (await computesInDouble(backend)) ? 'f64' : 'f32';
  const option = unresolved(solver, dtype);
  if (option === undefined) return;
  const least = spacing[dtype].toPrecision(2);
  throw new OptionError(
    `The solver '${solver.name}' cannot meet ${option} = ${String(solver.settings[option])} in ${dtype}.`,
    {
      actual: solver.settings[option],
      expected:
        option === 'rtol'
          ? `rtol of ${least} or more, or 0 with an atol that can be met`
          : `atol of ${least} or more where rtol is 0`,
      remedy: `Rounding alone changes a state by up to ${least} of its size in each step. Loosen the tolerance.`,
    },
  );
}

/** Whether the backend computes f32 with higher precision, as the reference does. */
async function computesInDouble(backend: Pick<Backend, 'compile'>): Promise<boolean> {
  const x = input('x', { shape: [1], dtype: 'f32' });
  const executable = await backend.compile(new Graph([{ name: 'x', tensor: x }], [{ name: 'y', tensor: x.add(1) }]));
  try {
    const { y } = await executable.run({ x: hostArray([0]) });
    const computed = await y.read();
    y.dispose();
    return computed instanceof Float64Array;
  } finally {
    await executable.dispose();
  }
}

/** The tolerance that is too small. A tiny `atol` with a sound `rtol` is fine: it asks for small states to be resolved too. */
function unresolved({ adaptive, settings }: Solver, dtype: keyof typeof spacing): 'rtol' | 'atol' | undefined {
  const { rtol, atol } = settings;
  if (!adaptive || typeof rtol !== 'number' || typeof atol !== 'number') return undefined;
  if (rtol > 0 && rtol < spacing[dtype]) return 'rtol';
  return rtol === 0 && atol < spacing[dtype] ? 'atol' : undefined;
}
