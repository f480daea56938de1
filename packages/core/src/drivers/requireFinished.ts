import { SolverError } from '../errors.ts';
import type { SolveCounts } from './odeBatches.ts';

/**
 * Throws if a solve stopped before its end: its result is then neither a sample nor a density.
 *
 * @throws SolverError with the first such sample, its time, step and error norm
 */
export function requireFinished({
  status,
  stopped,
  functionEvaluations,
  acceptedSteps,
  rejectedSteps,
}: SolveCounts): void {
  const unfinished = status.filter((end) => end !== 'done');
  if (unfinished.length === 0) return;
  const where = stopped
    ? ` Sample ${stopped.sample} stands at t = ${stopped.t.toPrecision(7)} with a step of ${stopped.step.toExponential(2)} and an error of ${stopped.error.toPrecision(3)} × tolerance.`
    : '';
  throw new SolverError(
    `${unfinished.length} of ${status.length} solves ended with status ${unfinished[0]} after ${acceptedSteps} accepted and ${rejectedSteps} rejected steps (${functionEvaluations} evaluations).${where}`,
    {
      actual: stopped ?? unfinished[0],
      expected: 'solves that reach their end',
      remedy: "Raise the solver's maxSteps, or loosen rtol and atol.",
    },
  );
}
