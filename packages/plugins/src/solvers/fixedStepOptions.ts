import type { FixedStepOptions } from '@flow-matching/core';
import { z } from 'zod';

/** Options of a fixed-step method: `steps` equal ones, or steps between the fractions of `grid`. */
export const fixedStepOptions = (steps: number) =>
  z
    .strictObject({
      /** Number of equal steps. */
      steps: z.int().positive().exactOptional(),
      /** Fractions of the way at which steps end: increasing, from 0 to 1. */
      grid: z.array(z.number()).min(2).exactOptional(),
    })
    .refine(
      ({ steps, grid }) => !steps || !grid || grid.length === steps + 1,
      'the grid has other steps than steps says',
    )
    .transform((given): FixedStepOptions =>
      given.grid ? { steps: given.grid.length - 1, grid: given.grid } : { steps: given.steps ?? steps },
    );
