import { SolverError, type SolveCounts } from '@flow-matching/core';

/** Throws a SolverError where some solve stopped short of its end: what it left is no sample and no density. */
export function checkFinished({ status, functionEvaluations }: SolveCounts): void {
  const unfinished = status.filter((end) => end !== 'done');
  if (unfinished.length === 0) return;
  throw new SolverError(
    `${unfinished.length} of ${status.length} solves ended with status ${unfinished[0]} after ${functionEvaluations} evaluations.`,
    {
      actual: unfinished[0],
      expected: 'solves that reach their end',
      remedy: "Raise the solver's maxSteps or loosen its tolerances.",
    },
  );
}
