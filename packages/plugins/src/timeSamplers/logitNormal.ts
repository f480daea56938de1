import { defineTimeSampler, type TimeSampler } from '@flow-matching/core';
import { sigmoid } from '@flow-matching/tensor';
import * as z from 'zod';
import { normalQuantile } from './normalQuantile.ts';

/**
 * Times whose logit is normal: t = sigmoid(mean + scale·z) (Esser et al. 2024, "Scaling rectified flow transformers"). They
 * concentrate where the regression is hardest. Losses are not reweighted, so these times count more.
 */
export const logitNormal = defineTimeSampler({
  name: 'logit-normal',
  summary: 'Times whose logit is normal; mean above 0 leans to the data',
  options: z.strictObject({
    mean: z.float32().default(0).describe('Mean of the logit of t; above 0 favors times near the data'),
    scale: z.float32().positive().default(1).describe('Standard deviation of the logit of t'),
  }),
  create: ({ mean, scale }): TimeSampler => ({
    name: 'logit-normal',
    sample: (uniform) => ({ t: sigmoid(normalQuantile(uniform).mul(scale).add(mean)) }),
  }),
});
