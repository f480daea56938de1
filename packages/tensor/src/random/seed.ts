import { OptionError } from '../errors.ts';
import { hostArray, type HostArray } from '../tensor/hostArray.ts';

/** The Philox key of a seed: its low and high 32-bit words. @throws OptionError unless the seed is an integer in [0, 2⁵³). */
export function seedKey(seed: number): Uint32Array {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new OptionError(`The seed ${seed} is not usable.`, {
      actual: seed,
      expected: 'an integer from 0 to 2^53 − 1',
    });
  }
  return Uint32Array.of(seed >>> 0, Math.floor(seed / 2 ** 32));
}

/** The seed as a graph input, u32 [2]. */
export const seedArray = (seed: number): HostArray => hostArray(seedKey(seed), [2]);

/**
 * Purposes that draw from one seed, separated by the stream word of the counter. Draws inside a graph count up from their
 * driver's number, so the numbers are far apart.
 */
export const streams = {
  training: 0,
  sampling: 0x1000_0000,
  likelihood: 0x2000_0000,
  parameters: 0x3000_0000,
  data: 0x4000_0000,
  test: 0x5000_0000,
  coupling: 0x6000_0000,
  solving: 0x7000_0000,
  evaluation: 0x8000_0000,
} as const;
