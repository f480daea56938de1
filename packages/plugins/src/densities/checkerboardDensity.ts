import type { MarginalDensity } from './marginalDensity.ts';
import { uniformSquares } from './uniformSquares.ts';

const columns = [0, 1, 2, 3];

/** The checkerboard's marginals: see the dataset of that name. */
export const checkerboardDensity = (): MarginalDensity =>
  uniformSquares({
    centres: columns.flatMap((i) => columns.filter((j) => (i + j) % 2 === 0).map((j) => [2 * i - 3, 2 * j - 3])),
    halfWidth: 1,
  });
