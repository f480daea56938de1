import { definePath, gaussianPath } from '@flow-matching/core';
import { type Tensor } from '@flow-matching/tensor';
import * as z from 'zod';
import { squareRootCut } from './timeCuts.ts';

/** 1 − t² in factored form, because 1 − t is exact and 1 − t² is not. */
const variance = (t: Tensor): Tensor => t.neg().add(1).mul(t.add(1));

/** Mean t·x1 and std √(1 − t²): variance-preserving with a linear mean. It ends at 1 − 10⁻⁵. */
export const linearVariancePreserving = definePath({
  name: 'linear-vp',
  summary: 'Variance-preserving with a linear mean: mean t·x1, std √(1 − t²)',
  options: z.strictObject({}),
  create: () =>
    gaussianPath({
      name: 'linear-vp',
      check: false,
      interval: { start: 0, end: 1 - squareRootCut },
      mean: (t, x1) => x1.mul(t),
      std: (t) => variance(t).sqrt(),
      field: (t, x, x1) => x1.sub(x.mul(t)).div(variance(t)),
    }),
});
