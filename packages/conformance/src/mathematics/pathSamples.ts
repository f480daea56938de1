import { evaluatePath, pointShape, type Path, type PathValues } from '@flow-matching/core';
import { sizeOf, type HostArray, type HostRandomStream, type Shape } from '@flow-matching/tensor';
import { floats, type Arrays } from './evaluate.ts';

/** The setting in which a path is tested. */
export interface PathTrial {
  readonly path: Path;
  /** Of one point. */
  readonly shape: Shape;
  /** Typical size of a coordinate of the data. */
  readonly dataScale: number;
}

export const trialOf = (path: Path, { shape, dataScale = 1 }: Partial<Omit<PathTrial, 'path'>> = {}): PathTrial => ({
  path,
  shape: shape ?? pointShape(path),
  dataScale,
});

/** Fractions of the interval away from its ends, where derivatives may grow without bound. */
export const innerShares = [2 ** -6, 2 ** -4, 0.25, 0.5, 0.75, 1 - 2 ** -4, 1 - 2 ** -6];
/** Fractions so close to either end that only claims about the whole interval hold there; each with its mirror image. */
export const edgeShares = [2 ** -8, 2 ** -12, 1 - 2 ** -8, 1 - 2 ** -12];
/** Both ends, and fractions that cluster towards them. */
export const outerShares = [0, 2 ** -20, 2 ** -12, 2 ** -8, 0.3, 0.6, 1 - 2 ** -8, 1 - 2 ** -12, 1 - 2 ** -20, 1];

/** Times on the f32 grid at fractions of a path's interval, never outside it. */
export const timesAt = ({ interval: { start, end } }: Path, shares: readonly number[]): number[] =>
  shares.map((share) => {
    const t = Math.fround(start * (1 - share) + end * share);
    if (t > end) return Math.fround(t - 2 ** -24);
    return t < start ? Math.fround(t * (1 + 2 ** -23)) : t;
  });

/** Times `t` [rows], endpoints `x1` and `x0` (two-sided paths) and `noise`, each [rows, ...event]; one row per time. */
export function drawRows({ path, shape, dataScale }: PathTrial, random: HostRandomStream, times: readonly number[]) {
  const rows = [times.length, ...shape];
  const x1 = random.normal(rows, dataScale);
  const noise = random.normal(rows);
  return {
    t: floats(times),
    x1,
    ...(path.sides === 'two' && { x0: random.normal(rows, dataScale) }),
    noise,
  };
}

/** A path's values in f64 at rows, shifted in time by `shift`. */
export const valuesAt = (path: Path, rows: { t: HostArray; x1: HostArray; x0?: HostArray }, shift = 0): PathValues =>
  evaluatePath(path, {
    t: Float64Array.from(rows.t.data, (t) => t + shift),
    x1: rows.x1,
    ...(rows.x0 && { x0: rows.x0 }),
  });

/** The endpoints among named arrays, as a path's formulas take them. */
export const endpointsOf = <T>({ x1, x0 }: Readonly<Record<string, T>>): { x1: T; x0?: T } =>
  x0 === undefined ? { x1 } : { x1, x0 };

/** Describes the inputs of an element of [rows, ...event]. */
export const describeElement =
  (arrays: Arrays) =>
  (index: number): string => {
    const { t, x1 } = arrays;
    const width = sizeOf(x1.shape.slice(1));
    const values = Object.entries(arrays).map(
      ([name, { data, shape }]) =>
        `${name} = ${data[sizeOf(shape) === t.data.length ? Math.floor(index / width) : index]}`,
    );
    return values.join(', ');
  };

/** Whether the path has no noise, so that its conditionals are points, not densities. */
export function isNoiseless(path: Path, shape: Shape): boolean {
  const { start, end } = path.interval;
  const zero = { data: new Float64Array(sizeOf(shape)), shape: [1, ...shape], dtype: 'f32' as const };
  try {
    return evaluatePath(path, { t: [(start + end) / 2], x1: zero, x0: zero }).std.every((value) => value === 0);
  } catch {
    // The cases report errors in its formulas.
    return false;
  }
}
