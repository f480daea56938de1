import type { Path, VectorFieldModel } from '@flow-matching/core';
import type { MarginalDensity } from './marginalDensity.ts';

/** The exact field that generates a known distribution along a path, in a model's place: no parameters, nothing to train. */
export const marginalField = (density: MarginalDensity, path: Path): VectorFieldModel => ({
  name: 'marginal-field',
  init: () => ({}),
  apply: (_, { t, x }) => density.field(path, t, x),
});
