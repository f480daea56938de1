import { defineEstimator, requireFinished, type Estimator } from '@flow-matching/core';
import * as z from 'zod';
import { divergenceOptions } from './divergenceOptions.ts';
import { heldOut } from './drawSamples.ts';
import { likelihoodSolver, namedSolver } from './likelihoodSolver.ts';
import { meanWithError } from './statistics.ts';

/**
 * Mean of −log p₁ over held-out points, nats, with its standard error. If the data's entropy is known, the details contain
 * `aboveEntropy`, which is negative only by chance. If the flow's solver is stochastic, dopri5 is used.
 *
 * @throws SolverError if a solve does not reach its end.
 */
export const negativeLogLikelihood = defineEstimator({
  name: 'nll',
  summary: 'Mean negative log-likelihood of held-out points, nats',
  options: z.strictObject(divergenceOptions),
  create: (divergence): Estimator => ({
    name: 'nll',
    async estimate(request) {
      const { flow, data, count, seed, signal, onProgress } = request;
      const { x1, condition } = await heldOut(request);
      const solver = likelihoodSolver(flow);
      const scored = await flow.logLikelihood(x1, { ...divergence, solver, seed, condition, signal, onProgress });
      requireFinished(scored);
      const entropy = data.density?.entropy;
      const nll = meanWithError(scored.logLikelihood.map((each) => -each));
      return {
        ...nll,
        count,
        unit: 'nats',
        ...namedSolver(flow, solver),
        details: {
          functionEvaluations: scored.functionEvaluations,
          ...(entropy !== undefined && { aboveEntropy: nll.value - entropy }),
        },
      };
    },
  }),
});
