import * as z from 'zod';
import { timeGrid, timeGridOption, type TimeGridOption } from './timeGrid.ts';

/** Options that stochastic methods share. */
export const stochasticStepShape = {
  /** Number of steps. */
  steps: z.int().positive().exactOptional(),
  /** Where the steps end: `uniform`, `cosine`, `edm`, or increasing fractions from 0 to 1. */
  grid: timeGridOption.exactOptional(),
};

/** The number of steps and their grid, as the options have them. @throws OptionError where they contradict one another. */
export function stepsAndGrid(
  { steps, grid = 'uniform' }: { readonly steps?: number; readonly grid?: TimeGridOption },
  fallback: number,
): { steps: number; grid: readonly number[] | undefined } {
  const count = steps ?? (typeof grid === 'string' ? fallback : grid.length - 1);
  return { steps: count, grid: timeGrid(grid, count) };
}
