import { defineEstimator, type Estimator } from '@flow-matching/core';
import { drawSamples } from './drawSamples.ts';

/**
 * Number of field evaluations per sample (NFE): the largest over the samples drawn.
 *
 * @throws SolverError if a solve does not reach its end.
 */
export const functionEvaluations = defineEstimator({
  name: 'function-evaluations',
  summary: 'Evaluations of the field that one sample takes',
  create: (): Estimator => ({
    name: 'function-evaluations',
    async estimate(request) {
      const drawn = await drawSamples(request);
      return {
        value: drawn.functionEvaluations,
        count: request.count,
        unit: 'evaluations',
        details: { acceptedSteps: drawn.acceptedSteps, rejectedSteps: drawn.rejectedSteps },
      };
    },
  }),
});
