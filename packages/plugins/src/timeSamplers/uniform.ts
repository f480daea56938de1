import { defineTimeSampler } from '@flow-matching/core';

/** Times drawn uniformly from the path's interval. */
export const uniform = defineTimeSampler({
  name: 'uniform',
  summary: 'Uniform on the interval of the path',
  create: () => ({ name: 'uniform', sample: (uniforms) => ({ t: uniforms }) }),
});
