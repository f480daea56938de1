import type { Path } from '../contracts/path.ts';
import { OptionError, f32, trace, expand, evaluateGraph, type HostArray, sameShape } from '@flow-matching/tensor';
import { NumericalError, PathError } from '../errors.ts';
import { describeRow } from './describeRow.ts';
import { pathMoments, timeAgainst } from './pathFormulas.ts';

/** Where a path is evaluated: one time and one condition per row. */
export interface PathPoints {
  /** [rows], inside the path's interval. */
  readonly t: ArrayLike<number>;
  /** [rows, ...event]. */
  readonly x1: HostArray;
  /** [rows, ...event], for a two-sided path. */
  readonly x0?: HostArray;
}

/** Mean and standard deviation of a conditional path and their time derivatives, each [rows, ...event] row-major. */
export interface PathValues {
  readonly mean: Float64Array;
  readonly std: Float64Array;
  readonly meanRate: Float64Array;
  readonly stdRate: Float64Array;
}

/**
 * Evaluates a path's formulas, on the reference in f64.
 *
 * @throws OptionError for a time outside the path's interval; PathError for a two-sided path without x0; NumericalError naming
 *   the formula, the time and the points if a value is not finite.
 */
export function evaluatePath(path: Path, { t, x1, x0 }: PathPoints): PathValues {
  checkTimes(path, t);
  if (path.sides === 'two' && !x0) {
    throw new PathError(`The path '${path.name}' runs between two points, and only one is given.`, { expected: 'x0' });
  }
  if (t.length !== x1.shape[0] || (x0 && !sameShape(x0.shape, x1.shape))) {
    throw new PathError(`The points given to the path '${path.name}' do not fit one another.`, {
      actual: { t: t.length, x1: x1.shape, ...(x0 && { x0: x0.shape }) },
      expected: 'one time, one x1 and, on a two-sided path, one x0 per row',
    });
  }
  const graph = trace(
    (given) => {
      const z = { x1: given.x1, ...(given.x0 && { x0: given.x0 }) };
      const moments = pathMoments(path, timeAgainst(given.t, given.x1), z);
      return Object.fromEntries(Object.entries(moments).map(([name, value]) => [name, expand(value, x1.shape)]));
    },
    { t: f32([t.length]), x1: f32(x1.shape), ...(x0 && { x0: f32(x1.shape) }) },
  );
  const outputs = evaluateGraph(graph, {
    t: { data: Float64Array.from(t), shape: [t.length], dtype: 'f32' },
    x1: { ...x1, data: wide(x1), dtype: 'f32' },
    ...(x0 && { x0: { ...x0, data: wide(x0), dtype: 'f32' as const } }),
  });
  const values = Object.fromEntries(Object.entries(outputs).map(([name, array]) => [name, wide(array)]));
  checkFinite(path, { t, x1, ...(x0 && { x0 }) }, values);
  return values as unknown as PathValues;
}

/** The reference keeps f64 for every declared float dtype. */
const wide = ({ data }: HostArray): Float64Array => Float64Array.from(data);

function checkTimes({ name, interval: { start, end } }: Path, t: ArrayLike<number>): void {
  const outside = Array.from(t).find((time) => !(time >= start && time <= end));
  if (outside === undefined) return;
  throw new OptionError(`t = ${outside} is outside the interval of the path '${name}'.`, {
    actual: outside,
    expected: `${start} ≤ t ≤ ${end}`,
  });
}

const formulaNames = { mean: 'mean', std: 'std', meanRate: "mean's time derivative", stdRate: "std's time derivative" };

function checkFinite(path: Path, points: PathPoints, values: Readonly<Record<string, Float64Array>>): void {
  for (const [name, title] of Object.entries(formulaNames)) {
    const at = values[name].findIndex((value) => !Number.isFinite(value));
    if (at < 0) continue;
    const row = Math.floor(at / (values[name].length / points.t.length));
    throw new NumericalError(
      `The ${title} of the path '${path.name}' is ${values[name][at]} at t = ${points.t[row]}, ${describePoints(points, row)}.`,
      {
        actual: { t: points.t[row], x1: rowOf(points.x1, row), ...(points.x0 && { x0: rowOf(points.x0, row) }) },
        expected: 'finite values and time derivatives on the whole interval, ends included',
        remedy: 'Fix the formula, or cut the interval short of that time.',
      },
    );
  }
}

function rowOf({ data, shape }: HostArray, row: number): number[] {
  const width = data.length / shape[0];
  return Array.from(data.subarray(row * width, (row + 1) * width));
}

const describePoints = ({ x0, x1 }: PathPoints, row: number): string =>
  `${x0 ? `x0 = ${describeRow(x0, row)}, ` : ''}x1 = ${describeRow(x1, row)}`;
