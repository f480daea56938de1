import type { TimeGridOption } from './timeGrid.ts';

interface StepChoice {
  readonly steps?: number;
  readonly evaluations?: number;
  readonly grid?: TimeGridOption;
}

/** Options of fixed steps with their spacing filled in, and `fallback` steps if no other option gives their number. */
export function completeSteps<Options extends StepChoice>(options: Options, fallback: number): Options {
  const { steps, evaluations, grid = 'uniform' } = options;
  const isCounted = steps !== undefined || evaluations !== undefined || typeof grid !== 'string';
  return { ...(!isCounted && { steps: fallback }), ...options, grid };
}
