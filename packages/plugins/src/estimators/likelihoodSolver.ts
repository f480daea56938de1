import type { Flow, Solver } from '@flow-matching/core';
import { dopri5 } from '../solvers/dopri5.ts';

/**
 * The solver of a flow's likelihoods where none is named: the flow's own, or dopri5 with its default tolerances where that one is
 * stochastic, because no density is known along its samples.
 */
export const likelihoodSolver = ({ solver }: Pick<Flow, 'solver'>): Solver => (solver.stochastic ? dopri5() : solver);

/** The solver's name as estimates report it: where it is not the flow's own. */
export const namedSolver = (flow: Pick<Flow, 'solver'>, used: Solver): { solver?: string } =>
  used === flow.solver ? {} : { solver: used.name };
