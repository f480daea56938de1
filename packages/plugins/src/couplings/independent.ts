import { defineCoupling, type Coupling } from '@flow-matching/core';

/** Noise and data are paired as they are drawn. */
export const independent = defineCoupling({
  name: 'independent',
  summary: 'Source and data points paired as they are drawn',
  create: (): Coupling => ({ name: 'independent' }),
});
