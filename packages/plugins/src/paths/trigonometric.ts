import { definePath, gaussianPath } from '@flow-matching/core';
import { sin, type Tensor } from '@flow-matching/tensor';
import * as z from 'zod';
import { lastBeforeOne } from './timeCuts.ts';

const quarterTurn = Math.PI / 2;

const scale = (t: Tensor): Tensor => sin(t.mul(quarterTurn));
/** cos(πt/2) in the exact 1 − t: the cosine itself has no digits left near t = 1 in f32. */
const std = (t: Tensor): Tensor => sin(t.neg().add(1).mul(quarterTurn));

/** The cosine schedule: mean sin(πt/2)·x1 and std cos(πt/2), so that the variance of standardized data stays 1. */
export const trigonometric = definePath({
  name: 'trigonometric',
  summary: 'Cosine schedule: mean sin(πt/2)·x1, std cos(πt/2)',
  options: z.strictObject({}),
  create: () =>
    gaussianPath({
      name: 'trigonometric',
      check: false,
      interval: { start: 0, end: lastBeforeOne },
      mean: (t, x1) => x1.mul(scale(t)),
      std,
      field: (t, x, x1) =>
        x1
          .sub(x.mul(scale(t)))
          .mul(quarterTurn)
          .div(std(t)),
    }),
});
