import { definePath, gaussianPath } from '@flow-matching/core';
import { type Tensor } from '@flow-matching/tensor';
import * as z from 'zod';

/**
 * The variance-exploding diffusion path, its time reversed: mean x1 and std sigmaMin·(sigmaMax/sigmaMin)^(1 − t) (Lipman et al.
 * 2023, equations 16 and 17, with the usual geometric schedule). The prior is N(0, sigmaMax² I), so sigmaMax should be well
 * above the scale of the data.
 */
export const varianceExploding = definePath({
  name: 'variance-exploding',
  summary: 'VE diffusion: mean x1, std from sigmaMax down to sigmaMin, geometric',
  options: z
    .strictObject({
      sigmaMin: z.float32().positive().default(0.01).describe("Standard deviation at t = 1, in the data's unit"),
      sigmaMax: z
        .float32()
        .positive()
        .default(50)
        .describe("Standard deviation of the prior at t = 0, in the data's unit"),
    })
    .refine(({ sigmaMin, sigmaMax }) => sigmaMax > sigmaMin, { path: ['sigmaMax'], message: 'must be above sigmaMin' }),
  create: ({ sigmaMin, sigmaMax }) => {
    const logRatio = Math.log(sigmaMax / sigmaMin);
    const std = (t: Tensor): Tensor => t.neg().add(1).mul(logRatio).exp().mul(sigmaMin);
    return gaussianPath({
      name: 'variance-exploding',
      check: false,
      priorStd: sigmaMax,
      mean: (_, x1) => x1,
      std,
      field: (_, x, x1) => x1.sub(x).mul(logRatio),
    });
  },
});
