import type { Flow, Solver } from '@flow-matching/core';
import { dopri5 } from '../solvers/dopri5.ts';

/**
 * The default solver of a flow's likelihoods: the flow's own or, if that is stochastic, dopri5 with its default tolerances,
 * because the density along stochastic samples is unknown.
 */
export const likelihoodSolver = ({ solver }: Pick<Flow, 'solver'>): Solver => (solver.stochastic ? dopri5() : solver);

/** The solver's name as estimates report it, if it is not the flow's own. */
export const namedSolver = (flow: Pick<Flow, 'solver'>, used: Solver): { solver?: string } =>
  used === flow.solver ? {} : { solver: used.name };
