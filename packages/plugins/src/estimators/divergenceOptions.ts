import * as z from 'zod';

/** Options of estimators that score points. */
export const divergenceOptions = {
  /** `exact` costs one forward-mode pass a dimension; `hutchinson` one a probe, and is unbiased. */
  divergence: z.enum(['exact', 'hutchinson']).default('exact'),
  /** Probe vectors of a point. */
  probes: z.int().positive().default(1),
  distribution: z.enum(['rademacher', 'gaussian']).default('rademacher'),
};
