import type { Path, VectorFieldModel } from '@flow-matching/core';
import type { MarginalDensity } from './marginalDensity.ts';

/** A model that is the exact field of a known distribution along a path. It has no parameters and needs no training. */
export const marginalField = (density: MarginalDensity, path: Path): VectorFieldModel => ({
  name: 'marginal-field',
  init: () => ({}),
  apply: (_, { t, x }) => density.field(path, t, x),
});
