import { largestStepCount } from '@flow-matching/tensor';
import * as z from 'zod';
import { timeGrid, timeGridOption, type TimeGridOption } from './timeGrid.ts';

/** Options that stochastic methods share. */
export const stochasticStepShape = {
  steps: z.int().positive().max(largestStepCount).exactOptional().describe('Number of steps'),
  grid: timeGridOption
    .exactOptional()
    .describe('Spacing of the steps: a named spacing, or increasing fractions of the interval from 0 to 1'),
};

/** The number of steps and their grid, from completed options. @throws OptionError if they contradict each other. */
export function stepsAndGrid({
  steps,
  grid = 'uniform',
}: {
  readonly steps?: number;
  readonly grid?: TimeGridOption;
}): { steps: number; grid: readonly number[] | undefined } {
  const count = steps ?? grid.length - 1;
  return { steps: count, grid: timeGrid(grid, count) };
}
