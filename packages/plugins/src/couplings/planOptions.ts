import { largestCount } from '@flow-matching/tensor';
import * as z from 'zod';
import { conditionOption } from './refuseConditions.ts';

/** Options of couplings that go through an entropic plan. */
export const planOptions = {
  tolerance: z
    .float32()
    .positive()
    .lt(1)
    .default(5e-3)
    .describe('Mean deviation of a row sum from 1 at which the transport plan counts as balanced'),
  maxIterations: z
    .int()
    .positive()
    .max(largestCount)
    .default(2000)
    .describe('Iterations after which balancing the plan is an error'),
  ...conditionOption,
};
