import { definePath, gaussianPath } from '@flow-matching/core';
import { type Tensor } from '@flow-matching/tensor';
import * as z from 'zod';
import { lastBeforeOne } from './timeCuts.ts';

/**
 * Mean tⁿ·x1 and std 1 − tⁿ: straight lines, traversed ever faster as n grows. With n = 1 it is optimal transport with
 * std 0 at the data.
 */
export const polynomial = definePath({
  name: 'polynomial',
  summary: 'Mean t^degree·x1, std 1 − t^degree: straight lines that speed up',
  options: z.strictObject({
    degree: z.int().min(1).max(16).default(2).describe('Power of t in the mean'),
  }),
  create: ({ degree }) => {
    const power = (t: Tensor, n: number): Tensor => (n === 1 ? t : t.mul(power(t, n - 1)));
    /** 1 + t + … + tⁿ⁻¹, by Horner's rule. */
    const geometricSum = (t: Tensor): Tensor => {
      let sum = t.mul(0).add(1);
      for (let n = 1; n < degree; n++) sum = sum.mul(t).add(1);
      return sum;
    };
    // 1 − tⁿ = (1 − t)(1 + t + … + tⁿ⁻¹) keeps its digits near t = 1, where 1 − t is exact.
    const std = (t: Tensor): Tensor => t.neg().add(1).mul(geometricSum(t));
    const scaleRate = (t: Tensor): Tensor => (degree === 1 ? t.mul(0).add(1) : power(t, degree - 1).mul(degree));
    return gaussianPath({
      name: 'polynomial',
      check: false,
      interval: { start: 0, end: lastBeforeOne },
      mean: (t, x1) => x1.mul(power(t, degree)),
      std,
      field: (t, x, x1) => x1.sub(x).mul(scaleRate(t)).div(std(t)),
    });
  },
});
