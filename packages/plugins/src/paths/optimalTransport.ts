import { definePath, gaussianPath } from '@flow-matching/core';
import { type Tensor } from '@flow-matching/tensor';
import * as z from 'zod';
import { lastBeforeOne } from './timeCuts.ts';

/**
 * The conditional optimal-transport path: mean t·x1 and standard deviation 1 − (1 − σmin)t, so that points move on straight
 * lines at constant speed (Lipman et al. 2023, equations 20 to 23).
 */
export const optimalTransport = definePath({
  name: 'optimal-transport',
  summary: 'Straight lines: mean t·x1, std 1 − (1 − sigmaMin)·t',
  options: z.strictObject({
    sigmaMin: z
      .float32()
      .min(0)
      .lt(1)
      .default(1e-5)
      .describe(
        "Standard deviation at t = 1, in the data's unit; at 0 the path ends just before t = 1, where its field is undefined",
      ),
  }),
  create: ({ sigmaMin }) => {
    // 1 − t is exact for times on the 2⁻²⁴ grid; (1 − σmin)·t would be rounded first, and near t = 1 only the difference remains.
    const std = (t: Tensor): Tensor => t.neg().add(1).add(t.mul(sigmaMin));
    return gaussianPath({
      name: 'optimal-transport',
      check: false,
      interval: { start: 0, end: sigmaMin === 0 ? lastBeforeOne : 1 },
      mean: (t, x1) => x1.mul(t),
      std,
      field: (t, x, x1) => x1.sub(x.mul(1 - sigmaMin)).div(std(t)),
    });
  },
});
