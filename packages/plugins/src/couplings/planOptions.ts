import * as z from 'zod';
import { conditionOption } from './refuseConditions.ts';

/** Options of couplings that go through an entropic plan. */
export const planOptions = {
  /** Mean deviation of a row sum from 1 at which the plan counts as balanced. */
  tolerance: z.number().positive().lt(1).default(5e-3),
  maxIterations: z.int().positive().default(2000),
  ...conditionOption,
};
