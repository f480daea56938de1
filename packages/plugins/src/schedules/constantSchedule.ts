import { defineSchedule } from '@flow-matching/core';
import * as z from 'zod';
import { warmupOptions, withWarmup } from './warmup.ts';

/** The base learning rate throughout, after the warm-up. */
export const constantSchedule = defineSchedule({
  name: 'constant',
  summary: 'The base learning rate throughout',
  options: z.strictObject(warmupOptions),
  create: (options) => withWarmup('constant', options, () => 1),
});
