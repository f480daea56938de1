import { OptionError } from '@flow-matching/tensor';
import * as z from 'zod';

/** How fixed steps divide the interval: a named spacing, or the fractions themselves. */
export const timeGridOption = z.union([z.enum(['uniform', 'cosine', 'edm']), z.array(z.float32()).min(2)]);
export type TimeGridOption = z.output<typeof timeGridOption>;

/** Exponent of the EDM spacing (Karras et al. 2022, equation 5). */
const edmExponent = 7;
/** Ratio of the noise levels at which EDM's spacing starts and ends: 80 to 0.002. */
const edmRange: readonly [number, number] = [80, 0.002];

/**
 * The grid of `steps` steps as fractions, including 0 and 1.
 *
 * `cosine` takes short steps at both ends, (1 − cos πs)/2. `edm` shortens them towards the data like the noise levels of Karras
 * et al., with exponent 7: fractions are one minus the relative noise level.
 *
 * @throws OptionError if an explicit list does not increase from 0 to 1 in `steps` steps.
 */
export function timeGrid(option: TimeGridOption, steps: number): readonly number[] | undefined {
  if (option === 'uniform') return undefined;
  const at = (formula: (s: number) => number): number[] =>
    Array.from({ length: steps + 1 }, (_, i) => (i === 0 ? 0 : i === steps ? 1 : formula(i / steps)));
  if (option === 'cosine') return at((s) => (1 - Math.cos(Math.PI * s)) / 2);
  if (option === 'edm') {
    const [first, last] = edmRange.map((sigma) => sigma ** (1 / edmExponent));
    const level = (s: number): number => (first + s * (last - first)) ** edmExponent;
    return at((s) => 1 - (level(s) - level(1)) / (level(0) - level(1)));
  }
  if (option.length !== steps + 1) {
    throw new OptionError(`A grid of ${option.length} fractions does not make ${steps} steps.`, {
      actual: option,
      expected: `${steps + 1} fractions`,
    });
  }
  return option;
}
