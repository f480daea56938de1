import { hostPathCoefficients, pointShape, type Path, type PathCoefficients, type TimeInterval } from '@flow-matching/core';

/** Largest logarithmic rate, per unit of time, by which a conversion may multiply a model's error. */
const largestRate = 1024;

/**
 * The times at which |coefficient′/coefficient| stays below 1024. A conversion that divides by a coefficient multiplies the error
 * of the model by that rate, and is 0/0 where the coefficient vanishes: scale at the noise, std at the data.
 */
export function trustedInterval(path: Path, coefficient: 'scale' | 'std'): TimeInterval {
  const { start, end } = path.interval;
  const rates = ratesAt(path, coefficient);
  const shares = [0, ...Array.from({ length: 24 }, (_, i) => 2 ** (i - 24))];
  const first = (at: (share: number) => number): number => at(shares.find((share) => rates(at(share)) <= largestRate) ?? 0.5);
  return { start: first((share) => start + share * (end - start)), end: first((share) => end - share * (end - start)) };
}

/** The largest rate over the dimensions of a point, as a function of time; infinite where the coefficient is 0. */
function ratesAt(path: Path, coefficient: 'scale' | 'std'): (time: number) => number {
  const shape = pointShape(path);
  const rate: keyof PathCoefficients = coefficient === 'scale' ? 'scaleRate' : 'stdRate';
  return (time) => {
    const values = hostPathCoefficients(path, [time], shape);
    return values[coefficient].reduce((largest, value, i) => Math.max(largest, value === 0 ? Infinity : Math.abs(values[rate][i] / value)), 0);
  };
}
