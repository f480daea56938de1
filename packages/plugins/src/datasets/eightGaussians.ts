import { defineDataset } from '@flow-matching/core';
import * as z from 'zod';
import { labelOption } from './drawnDataset.ts';
import { mixtureDataset } from './gaussianMixtureData.ts';

const modes = 8;

/** Eight equal Gaussians on a circle of radius 5, each with covariance √0.1·I, as in torchcfm. */
export const eightGaussians = defineDataset({
  name: '8gaussians',
  summary: 'Eight equal Gaussians on a circle, with the exact density',
  options: z.strictObject({
    radius: z.float32().positive().default(5).describe('Radius of the circle of centers'),
    std: z
      .float32()
      .positive()
      .default(0.1 ** 0.25)
      .describe('Standard deviation of each Gaussian'),
    ...labelOption,
  }),
  create: ({ radius, std, labels }) => {
    const angles = Array.from({ length: modes }, (_, k) => (2 * Math.PI * k) / modes);
    return mixtureDataset(
      '8gaussians',
      {
        means: angles.map((angle) => [radius * Math.cos(angle), radius * Math.sin(angle)]),
        stds: angles.map(() => std),
        weights: angles.map(() => 1),
      },
      labels,
    );
  },
});
