import { definePath, gaussianPath } from '@flow-matching/core';
import { expm1, type Tensor } from '@flow-matching/tensor';
import * as z from 'zod';
import { squareRootCut } from './timeCuts.ts';

const remaining = (t: Tensor): Tensor => t.neg().add(1);

/**
 * The variance-preserving diffusion path, its time reversed: mean α·x1 and variance 1 − α², with α = exp(−T(s)/2), s = 1 − t and
 * T(s) = betaMin·s + ½(betaMax − betaMin)s² (Lipman et al. 2023, equations 18 and 19). It ends at 1 − 10⁻⁵.
 */
export const variancePreserving = definePath({
  name: 'variance-preserving',
  summary: 'VP diffusion: noise rate from betaMax at t = 0 to betaMin at t = 1',
  options: z
    .strictObject({
      betaMin: z.float32().min(0).default(0.1).describe('Noise rate at t = 1, the data'),
      betaMax: z.float32().positive().default(20).describe('Noise rate at t = 0, the prior'),
    })
    .refine(({ betaMin, betaMax }) => betaMax >= betaMin, { path: ['betaMax'], message: 'must not be below betaMin' }),
  create: ({ betaMin, betaMax }) => {
    /** T(s) in factored form: no cancellation for any s. */
    const exponent = (s: Tensor): Tensor => s.mul(s.mul((betaMax - betaMin) / 2).add(betaMin));
    const rate = (s: Tensor): Tensor => s.mul(betaMax - betaMin).add(betaMin);
    const scale = (s: Tensor): Tensor => exponent(s).mul(-0.5).exp();
    // 1 − exp(−T) would be 2.5 % off in f32 where the path ends.
    const variance = (s: Tensor): Tensor => expm1(exponent(s).neg()).neg();
    return gaussianPath({
      name: 'variance-preserving',
      check: false,
      interval: { start: 0, end: 1 - squareRootCut },
      priorStd: Math.sqrt(-Math.expm1(-(betaMin + betaMax) / 2)),
      mean: (t, x1) => x1.mul(scale(remaining(t))),
      std: (t) => variance(remaining(t)).sqrt(),
      field(t, x, x1) {
        const s = remaining(t);
        const half = rate(s).mul(scale(s)).mul(0.5).div(variance(s));
        return half.mul(x1.sub(x.mul(scale(s))));
      },
    });
  },
});
