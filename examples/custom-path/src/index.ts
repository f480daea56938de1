import { definePath, gaussianPath } from '@flow-matching/core';
import { sin, type Tensor } from '@flow-matching/tensor';

const quarterTurn = Math.PI / 2;
const sineSquared = (t: Tensor): Tensor => sin(t.mul(quarterTurn)).square();
/** cos²(πt/2) in terms of the exact 1 − t: the cosine itself loses all its digits near t = 1 in f32. */
const cosineSquared = (t: Tensor): Tensor => sineSquared(t.neg().add(1));

/**
 * Mean sin²(πt/2)·x1 and std cos²(πt/2), which add up to 1: the straight lines of the optimal-transport path, traversed slowly at
 * both ends.
 */
export const cosineSquaredPath = definePath({
  name: 'cosine-squared',
  summary: 'Straight lines with a rest at both ends: mean sin²(πt/2)·x1, std cos²(πt/2)',
  create: () =>
    gaussianPath({
      name: 'cosine-squared',
      // At t = 1 the std is 0 and the field, which divides by it, is undefined; here the std is 2.5·10⁻⁶.
      interval: { start: 0, end: 1 - 1e-3 },
      mean: (t, x1) => x1.mul(sineSquared(t)),
      std: cosineSquared,
    }),
});
