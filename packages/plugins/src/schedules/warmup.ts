import type { Schedule } from '@flow-matching/core';
import { largestCount } from '@flow-matching/tensor';
import * as z from 'zod';

/** Options that every schedule has. All values are factors on the base learning rate. */
export const warmupOptions = {
  warmup: z
    .int()
    .min(0)
    .max(largestCount)
    .default(0)
    .describe('Steps over which the learning rate rises linearly at the start'),
  warmupFrom: z.float32().min(0).default(1e-8).describe('Factor on the learning rate at the first step of the warm-up'),
};

/** Options of schedules that decay. */
export const decayOptions = {
  ...warmupOptions,
  final: z.float32().min(0).default(0).describe('Factor on the learning rate at the last step'),
};

interface Warmup {
  readonly warmup: number;
  readonly warmupFrom: number;
}

/** Linear from `warmupFrom` to 1, then `after` of the fraction of the remaining steps that is done, in [0, 1]. */
export function withWarmup(
  name: string,
  { warmup, warmupFrom }: Warmup,
  after: (progress: number) => number,
): Schedule {
  return {
    name,
    factor(step, steps) {
      if (step < warmup) return warmupFrom + (1 - warmupFrom) * (step / warmup);
      const remaining = Math.max(1, steps - warmup);
      return after(Math.min(1, (step - warmup) / remaining));
    },
  };
}
