import { defineEstimator, type Estimator } from '@flow-matching/core';
import { checkFinished } from './checkFinished.ts';

/**
 * Evaluations of the field that one sample takes (NFE): the largest number over the samples drawn.
 *
 * @throws SolverError where a solve does not reach its end.
 */
export const functionEvaluations = defineEstimator({
  name: 'function-evaluations',
  summary: 'Evaluations of the field that one sample takes',
  create: (): Estimator => ({
    name: 'function-evaluations',
    async estimate({ flow, count, seed, signal, onProgress }) {
      const drawn = await flow.sample(count, { seed, signal, onProgress });
      checkFinished(drawn);
      return {
        value: drawn.functionEvaluations,
        count,
        unit: 'evaluations',
        details: { acceptedSteps: drawn.acceptedSteps, rejectedSteps: drawn.rejectedSteps },
      };
    },
  }),
});
