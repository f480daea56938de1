import { definePath, twoSidedPath } from '@flow-matching/core';
import { zerosLike } from '@flow-matching/tensor';
import * as z from 'zod';

/**
 * Straight lines between pairs: mean (1 − t)·x0 + t·x1 and a constant std (Tong et al. 2024, "Improving and generalizing
 * flow-based generative models", equations 14 and 15). With pairs from an optimal-transport coupling this is OT-CFM.
 */
export const pairedLines = definePath({
  name: 'paired-lines',
  summary: 'Straight lines from source to data points with a constant std',
  options: z.strictObject({
    sigma: z.float32().min(0).default(0).describe("Standard deviation around the line, in the data's unit"),
  }),
  create: ({ sigma }) =>
    twoSidedPath({
      name: 'paired-lines',
      check: false,
      mean: (t, x0, x1) => x0.mul(t.neg().add(1)).add(x1.mul(t)),
      std: (t) => zerosLike(t).add(sigma),
      field: (_t, _x, x0, x1) => x1.sub(x0),
    }),
});
