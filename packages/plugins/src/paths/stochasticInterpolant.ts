import { definePath, twoSidedPath } from '@flow-matching/core';
import { sin, type Tensor } from '@flow-matching/tensor';
import * as z from 'zod';
import { bridgeInterval, bridgeStd } from './bridgeStd.ts';

/**
 * Stochastic interpolants (Albergo, Boffi & Vanden-Eijnden 2023): mean α(t)·x0 + β(t)·x1 and std σ√(t(1 − t)). Linear: α = 1 − t,
 * β = t. Trigonometric: α = cos(πt/2), β = sin(πt/2). It runs from 10⁻⁵ to 1 − 10⁻⁵.
 */
export const stochasticInterpolant = definePath({
  name: 'stochastic-interpolant',
  summary: 'From source to data points, linear or trigonometric, std σ√(t(1 − t))',
  options: z.strictObject({
    interpolant: z
      .enum(['linear', 'trigonometric'])
      .default('trigonometric')
      .describe('How the mean moves from source to data point'),
    sigma: z.float32().positive().default(1).describe("Size of the noise between source and data, in the data's unit"),
  }),
  create: ({ interpolant, sigma }) => {
    const weight = (t: Tensor): Tensor => (interpolant === 'linear' ? t : sin(t.mul(Math.PI / 2)));
    return twoSidedPath({
      name: 'stochastic-interpolant',
      check: false,
      interval: bridgeInterval,
      mean: (t, x0, x1) => x0.mul(weight(t.neg().add(1))).add(x1.mul(weight(t))),
      std: bridgeStd(sigma),
    });
  },
});
