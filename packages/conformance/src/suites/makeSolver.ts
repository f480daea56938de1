import type { Solver } from '@flow-matching/core';

/** The options of a solver: a number of steps, or tolerances. */
export interface SolverOptions {
  readonly steps?: number;
  readonly rtol?: number;
  readonly atol?: number;
  /** Only with tolerances. */
  readonly maxSteps?: number;
  readonly perSample?: boolean;
}

/**
 * A solver plugin, or a function from options to a solver. It throws for options that it does not support: it may only have
 * fixed steps, or only tolerances.
 */
export type MakeSolver = (options: SolverOptions) => Solver;
