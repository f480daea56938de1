import { defineSchedule } from '@flow-matching/core';
import * as z from 'zod';
import { decayOptions, withWarmup } from './warmup.ts';

/** A power of the fraction of steps that remain, from 1 down to `final`: linear for power 1, the paper's polynomial decay. */
export const polynomialSchedule = defineSchedule({
  name: 'polynomial',
  summary: 'A power of the remaining share of steps, a line by default',
  options: z.strictObject({
    ...decayOptions,
    power: z.float32().positive().default(1).describe('Power of the remaining fraction of steps'),
  }),
  create: ({ final, power, ...warmup }) =>
    withWarmup('polynomial', warmup, (progress) => final + (1 - final) * (1 - progress) ** power),
});
