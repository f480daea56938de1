import type { Path } from '../contracts/path.ts';
import { OptionError, sizeOf, type Shape } from '@flow-matching/tensor';
import { PathError } from '../errors.ts';
import { evaluatePath, type PathValues } from './evaluatePath.ts';
import { pointShape } from './pointShape.ts';

export interface PathCheck {
  /** Typical size of a coordinate of the data, to which tolerances are relative. Default 1. */
  readonly dataScale?: number | undefined;
  /** Shape of one data point. Default: that of the standard deviation, or two coordinates. */
  readonly shape?: Shape | undefined;
}

/** Largest distance of a mean from its expected point, in data scales. */
const meanTolerance = 0.05;
/** A distribution is concentrated where its std is at most this many data scales. */
const concentrated = 0.5;
/** The prior forgets the data where the mean is at most this many prior stds. */
const forgotten = 0.5;
const stdTolerance = 0.01;

/**
 * Checks a path against the contract, on a grid of times and sample points, in f64: values and derivatives are finite, std > 0
 * inside the interval (or 0 throughout, on a two-sided path), p is concentrated on x1 at the end, and at the start it is the
 * declared prior (one-sided) or the source point x0 (two-sided). The thresholds are wide: it finds wrong formulas but accepts
 * unusual ones.
 *
 * @throws PathError with the problem, the time and the point; NumericalError for a value that is not finite; OptionError for an
 *   interval outside [0, 1].
 */
export function checkPath(path: Path, { dataScale = 1, shape = pointShape(path) }: PathCheck = {}): void {
  const { start, end } = path.interval;
  if (!(start >= 0 && start < end && end <= 1)) {
    throw new OptionError(`The interval of the path '${path.name}' runs from ${start} to ${end}.`, {
      actual: path.interval,
      expected: '0 ≤ start < end ≤ 1',
    });
  }
  if (!(dataScale > 0 && Number.isFinite(dataScale))) {
    throw new OptionError(`dataScale is ${dataScale}.`, { actual: dataScale, expected: 'a positive number' });
  }
  const samples = sampleRows(path, shape, dataScale);
  const values = evaluatePath(path, samples);
  const check = { path, dataScale, width: sizeOf(shape), ...samples, values };
  checkPositive(check);
  checkEnd(check);
  if (path.sides === 'two') checkSource(check);
  else checkPrior(check, shape);
}

interface Samples {
  readonly t: readonly number[];
  readonly x1: { readonly data: Float64Array; readonly shape: Shape; readonly dtype: 'f32' };
  readonly x0?: Samples['x1'];
}

interface Check extends Samples {
  readonly path: Path;
  readonly dataScale: number;
  /** Coordinates of a point. */
  readonly width: number;
  readonly values: PathValues;
}

/** Points with coordinates of both signs and of size one, by row and coordinate. */
const patterns = [() => 1, () => -1, (i: number) => (i % 2 === 0 ? 1 : -1), (i: number) => Math.cos(1 + 2 * i)];
const sourcePatterns = [(i: number) => (i % 2 === 0 ? -1 : 1), (i: number) => Math.sin(1 + i), () => -1, () => 1];

function sampleRows({ interval, sides }: Path, shape: Shape, scale: number): Samples {
  const times = timesOf(interval.start, interval.end);
  const width = sizeOf(shape);
  const rows = (formulas: readonly ((i: number) => number)[]): Samples['x1'] => ({
    data: Float64Array.from(
      times.flatMap(() => formulas.flatMap((formula) => Array.from({ length: width }, (_, i) => scale * formula(i)))),
    ),
    shape: [times.length * formulas.length, ...shape],
    dtype: 'f32',
  });
  return {
    t: times.flatMap((time) => patterns.map(() => time)),
    x1: rows(patterns),
    ...(sides === 'two' && { x0: rows(sourcePatterns) }),
  };
}

/** Both ends, an even grid, and times that cluster towards the ends, where formulas fail. Ascending. */
function timesOf(start: number, end: number): number[] {
  const even = Array.from({ length: 33 }, (_, i) => i / 32);
  const crowded = [6, 8, 10, 13, 16, 20].flatMap((power) => [2 ** -power, 1 - 2 ** -power]);
  return [...even, ...crowded].toSorted((a, b) => a - b).map((share) => start * (1 - share) + end * share);
}

/** Throws if a value of some row is refused, naming the row's time and coordinate. */
function requireRows(
  { path, t, x1, width }: Check,
  rows: (time: number) => boolean,
  accepts: (index: number) => boolean,
  refusal: (index: number) => { problem: string; actual: number; expected: string; remedy?: string },
): void {
  for (let row = 0; row < t.length; row++) {
    if (!rows(t[row])) continue;
    for (let index = row * width; index < (row + 1) * width; index++) {
      if (accepts(index)) continue;
      const { problem, ...details } = refusal(index);
      const where = `t = ${t[row]}, x1 = ${x1.data[index]}`;
      throw new PathError(`The path '${path.name}' ${problem} at ${where}.`, details);
    }
  }
}

function checkPositive(check: Check): void {
  const { start, end } = check.path.interval;
  const { std } = check.values;
  // Lines between pairs need no noise: the randomness is in the source.
  if (check.path.sides === 'two' && std.every((value) => value === 0)) return;
  requireRows(
    check,
    (time) => time > start && time < end,
    (i) => std[i] > 0,
    (i) => ({ problem: `has std ${std[i]}`, actual: std[i], expected: 'a positive std between noise and data' }),
  );
}

function checkEnd(check: Check): void {
  const { dataScale, values, x1, path } = check;
  const atEnd = (time: number): boolean => time === path.interval.end;
  requireRows(
    check,
    atEnd,
    (i) => Math.abs(values.mean[i] - x1.data[i]) <= meanTolerance * dataScale,
    (i) => ({
      problem: `does not arrive at the data: its mean is ${values.mean[i]}`,
      actual: values.mean[i],
      expected: 'mean → x1 as t → 1 (t = 0 is noise, t = 1 is data)',
    }),
  );
  requireRows(
    check,
    atEnd,
    (i) => values.std[i] <= concentrated * dataScale,
    (i) => ({
      problem: `does not concentrate on the data: its std is ${values.std[i]}`,
      actual: values.std[i],
      expected: `a std of at most ${concentrated * dataScale} there, half the data's scale`,
      remedy: 'Fix the formula (t = 0 is noise, t = 1 is data), or declare dataScale if the data is larger.',
    }),
  );
}

function checkSource(check: Check): void {
  const { dataScale, values, path } = check;
  const x0 = check.x0!.data;
  const atStart = (time: number): boolean => time === path.interval.start;
  requireRows(
    check,
    atStart,
    (i) => Math.abs(values.mean[i] - x0[i]) <= meanTolerance * dataScale,
    (i) => ({
      problem: `does not start at its source x0 = ${x0[i]}: its mean is ${values.mean[i]}`,
      actual: values.mean[i],
      expected: 'mean → x0 as t → 0',
    }),
  );
  requireRows(
    check,
    atStart,
    (i) => values.std[i] <= concentrated * dataScale,
    (i) => ({
      problem: `does not start at its source: its std is ${values.std[i]}`,
      actual: values.std[i],
      expected: `a std of at most ${concentrated * dataScale} there, half the data's scale`,
    }),
  );
}

function checkPrior(check: Check, shape: Shape): void {
  const { values, width, path } = check;
  const { priorStd } = path;
  if (typeof priorStd !== 'number' && priorStd.length !== width) {
    throw new PathError(
      `The path '${path.name}' declares ${priorStd.length} prior stds for points of [${shape.join()}].`,
      {
        actual: priorStd,
        expected: `one number, or ${width}`,
      },
    );
  }
  const priorOf = (index: number): number => (typeof priorStd === 'number' ? priorStd : priorStd[index % width]);
  const atStart = (time: number): boolean => time === path.interval.start;
  requireRows(
    check,
    atStart,
    (i) => Math.abs(values.std[i] / priorOf(i) - 1) <= stdTolerance,
    (i) => ({
      problem: `does not start at its prior N(0, ${priorOf(i)}²): its std is ${values.std[i]}`,
      actual: values.std[i],
      expected: `std(0) = priorStd, which is ${priorOf(i)}`,
      remedy: `Declare priorStd: ${values.std[i]}, or fix the formula.`,
    }),
  );
  requireRows(
    check,
    atStart,
    (i) => Math.abs(values.mean[i]) <= forgotten * priorOf(i),
    (i) => ({
      problem: `does not start at its prior N(0, ${priorOf(i)}²): its mean is ${values.mean[i]}`,
      actual: values.mean[i],
      expected: 'a mean that is small compared with the prior std as t → 0',
      remedy: 'Let the mean vanish at t = 0, or the prior be much wider than the data.',
    }),
  );
}
