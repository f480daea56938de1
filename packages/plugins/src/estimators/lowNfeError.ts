import { defineEstimator, type Estimator, type Solver } from '@flow-matching/core';
import * as z from 'zod';
import { midpoint } from '../solvers/midpoint.ts';
import { drawSamples } from './drawSamples.ts';
import { meanWithError, rootWithError } from './statistics.ts';

const isSolver = (value: unknown): value is Solver =>
  typeof (value as Partial<Solver> | undefined)?.step === 'function';
const solverOption = z.custom<Solver>(isSolver, 'a solver was expected');

/**
 * The reference solution for errors: 1000 evaluations, as in the paper. The midpoint rule does not evaluate at the end, where
 * the fields of diffusion models may grow without bound and rk4 loses its order.
 */
export const fineSolution = { name: 'midpoint', steps: 500 } as const;

/**
 * Root mean square distance between samples of a solver with few evaluations and those of a reference with 1000, from the same
 * starts (Lipman et al. 2023, section 6.2 and figure 7).
 *
 * @throws SolverError if a solve does not reach its end.
 */
export const lowNfeError = defineEstimator({
  name: 'low-nfe-error',
  summary: 'Error of a solver with few evaluations against one with 1000',
  options: z.strictObject({
    solver: solverOption
      .default(() => midpoint({ steps: 4 }))
      .describe('Solver to measure; by default the midpoint method with 4 steps, 8 evaluations'),
    reference: solverOption
      .default(() => midpoint({ steps: fineSolution.steps }))
      .describe('Solver to compare with; by default the midpoint method with 500 steps, 1000 evaluations'),
  }),
  nested: { solver: 'solver', reference: 'solver' },
  create: ({ solver, reference }): Estimator => ({
    name: 'low-nfe-error',
    async estimate(request) {
      const drawn = await drawSamples(request, { solver });
      const { samples: exact, functionEvaluations } = await drawSamples(request, { solver: reference });
      const { count } = request;
      const { data } = drawn.samples;
      const size = data.length / count;
      const squares = Float64Array.from({ length: count }, (_, n) => {
        let sum = 0;
        for (let i = n * size; i < (n + 1) * size; i++) sum += (data[i] - exact.data[i]) ** 2;
        return sum;
      });
      const { value, standardError = 0 } = meanWithError(squares);
      return {
        ...rootWithError(value, standardError),
        count,
        unit: "data's unit",
        details: { functionEvaluations: drawn.functionEvaluations, referenceEvaluations: functionEvaluations },
      };
    },
  }),
});
