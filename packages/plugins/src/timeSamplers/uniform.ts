import { defineTimeSampler, type TimeSampler } from '@flow-matching/core';

/** Times drawn uniformly from the path's interval. */
export const uniform = defineTimeSampler({
  name: 'uniform',
  summary: 'Uniform on the interval of the path',
  create: (): TimeSampler => ({ name: 'uniform', sample: (t) => ({ t }) }),
});
