import { defineEstimator, type Estimator } from '@flow-matching/core';
import { z } from 'zod';
import { checkFinished } from './checkFinished.ts';

const options = z.strictObject({
  /** `exact` costs one forward-mode pass a dimension; `hutchinson` one a probe, and is unbiased. */
  divergence: z.enum(['exact', 'hutchinson']).default('exact'),
  /** Probe vectors of a point. */
  probes: z.int().positive().default(1),
  distribution: z.enum(['rademacher', 'gaussian']).default('rademacher'),
});

/**
 * Mean of −log p₁ over held-out points, nats, with its standard error. Where the data's entropy is known the details hold
 * `aboveEntropy`, which no model can bring below 0 but by chance.
 *
 * @throws SolverError where a solve does not reach its end.
 */
export const negativeLogLikelihood = defineEstimator({
  name: 'nll',
  summary: 'Mean negative log-likelihood of held-out points, nats',
  options,
  create: (divergence): Estimator => ({
    name: 'nll',
    async estimate({ flow, data, count, seed, signal, onProgress }) {
      const { x1, condition } = await data.batch({ index: 0, size: count, seed, split: 'test' });
      const scored = await flow.logLikelihood(x1, { ...divergence, seed, condition, signal, onProgress });
      checkFinished(scored);
      const value = -mean(scored.logLikelihood);
      const entropy = data.density?.entropy;
      return {
        value,
        ...(count > 1 && {
          standardError: Math.sqrt(mean(scored.logLikelihood.map((each) => (each + value) ** 2)) / (count - 1)),
        }),
        count,
        unit: 'nats',
        details: {
          functionEvaluations: scored.functionEvaluations,
          ...(entropy !== undefined && { aboveEntropy: value - entropy }),
        },
      };
    },
  }),
});

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
