import { hostPathCoefficients, pointShape, type Path, type TimeInterval } from '@flow-matching/core';

/**
 * Largest logarithmic rate, per unit of time, by which a conversion may multiply a model's error. Holding the field constant
 * for a time τ moves a sample by about τ² times the curvature of its trajectory, and leaves it blurred by a third of the std
 * there; meanwhile a model's error δ grows to δ·ln(rate). At 128 an MLP's δ still dominates by far: at 1024 samples are worse,
 * not better.
 */
const largestRate = 128;

/** Distances from an end of the interval, as fractions of its length, nearest first: up to a half, each a sixth larger. */
const shares = [0, ...Array.from({ length: 93 }, (_, i) => 2 ** (i / 4 - 24))];

/**
 * The path's interval without the start at which |scale′/scale| exceeds 128. A conversion that divides by the scale multiplies
 * the model's error by that rate, and is 0/0 where the scale vanishes.
 */
export const whereScaleIsTrusted = (path: Path): TimeInterval => {
  const { start, end } = path.interval;
  return { start: nearestTrusted(path, 'scale', (share) => start + share * (end - start)), end };
};

/** The same for a division by the standard deviation, which may vanish at the end. */
export const whereStdIsTrusted = (path: Path): TimeInterval => {
  const { start, end } = path.interval;
  return { start, end: nearestTrusted(path, 'std', (share) => end - share * (end - start)) };
};

function nearestTrusted(path: Path, coefficient: 'scale' | 'std', timeAt: (share: number) => number): number {
  const times = shares.map(timeAt);
  const coefficients = hostPathCoefficients(path, times, pointShape(path));
  const values = coefficients[coefficient];
  const rates = coefficients[`${coefficient}Rate`];
  const width = values.length / times.length;
  const trusted = (i: number): boolean => Math.abs(rates[i]) <= largestRate * Math.abs(values[i]) && values[i] !== 0;
  const row = times.findIndex((_, at) => Array.from({ length: width }, (_, i) => at * width + i).every(trusted));
  return row < 0 ? timeAt(0.5) : times[row];
}
