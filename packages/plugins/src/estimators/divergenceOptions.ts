import { largestProbeCount } from '@flow-matching/tensor';
import * as z from 'zod';

/** Options of estimators that score points. */
export const divergenceOptions = {
  divergence: z
    .enum(['exact', 'hutchinson'])
    .default('exact')
    .describe(
      'Exact trace of the Jacobian (one pass per dimension), or the unbiased Hutchinson estimate (one pass per probe)',
    ),
  probes: z.int().positive().max(largestProbeCount).default(1).describe('Hutchinson probe vectors per point'),
  distribution: z.enum(['rademacher', 'gaussian']).default('rademacher').describe('Distribution of the probe vectors'),
};
