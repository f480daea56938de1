import { bounded, unitRoundOff, type Limit } from '../case/limit.ts';

/**
 * Number of roundings that a formula of this suite may accumulate: a few dozen operations, exponents of size ten whose rounding
 * is magnified by the exponential, and functions accurate to some units in the last place.
 */
const roundings = 128;

/** The limit of formulas computed in f32, from their {@link sensitivity} by output element. */
export const conditioned = (sizes: ArrayLike<number>, times = 1): Limit =>
  bounded(
    Float64Array.from(sizes, (size) => times * roundings * unitRoundOff('f32') * size),
    `${times * roundings} roundings of f32 times the formula's sensitivity to them`,
  );
