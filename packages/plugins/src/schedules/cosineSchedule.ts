import { defineSchedule } from '@flow-matching/core';
import * as z from 'zod';
import { decayOptions, withWarmup } from './warmup.ts';

/** Half a cosine wave from 1 down to `final` (Loshchilov & Hutter 2017, "SGDR", without restarts). */
export const cosineSchedule = defineSchedule({
  name: 'cosine',
  summary: 'Half a cosine wave down to the final factor',
  options: z.strictObject(decayOptions),
  create: ({ final, ...warmup }) =>
    withWarmup('cosine', warmup, (progress) => final + (1 - final) * 0.5 * (1 + Math.cos(Math.PI * progress))),
});
