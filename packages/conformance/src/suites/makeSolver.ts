import type { Solver } from '@flow-matching/core';

/** What a solver is made with: a number of steps, or tolerances. */
export interface SolverOptions {
  readonly steps?: number;
  readonly rtol?: number;
  readonly atol?: number;
  /** Beside tolerances. */
  readonly maxSteps?: number;
  readonly perSample?: boolean;
}

/** A solver plugin, or a function from options to a solver. It throws where it does not take them: fixed steps or tolerances may be all it has. */
export type MakeSolver = (options: SolverOptions) => Solver;
