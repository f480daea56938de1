import { defineDataset } from '@flow-matching/core';
import { OptionError } from '@flow-matching/tensor';
import * as z from 'zod';
import { mixtureDensity } from '../densities/mixtureDensity.ts';
import { drawnDataset } from './drawnDataset.ts';

/** A color image of 512 × 512 pixels has fewer; a batch of 1024 such points takes 4 GiB. */
const largestDimension = 2 ** 20;

/** N(mean, std² I): a source for two-sided paths that start from noise, and data for which every quantity is known. */
export const gaussian = defineDataset({
  name: 'gaussian',
  summary: 'An isotropic Gaussian, as a source or as data',
  options: z.strictObject({
    dimension: z.int().positive().max(largestDimension).default(2).describe('Number of coordinates of a point'),
    mean: z.array(z.float32()).min(1).exactOptional().describe('Mean, one number per dimension; zeros by default'),
    std: z.float32().positive().default(1).describe('Standard deviation of every coordinate'),
  }),
  create: ({ dimension, std, mean = Array.from({ length: dimension }, () => 0) }) => {
    if (mean.length !== dimension) {
      throw new OptionError(`A mean of ${mean.length} numbers does not fit ${dimension} dimensions.`, {
        actual: mean,
        expected: `${dimension} numbers`,
      });
    }
    return drawnDataset({
      name: 'gaussian',
      dimension,
      density: mixtureDensity({ weights: [1], means: [mean], stds: [std] }),
      draw: (random, size) => {
        const points = random.normal([size, dimension], std).data as Float32Array;
        for (let i = 0; i < points.length; i++) points[i] += mean[i % dimension];
        return { points };
      },
    });
  },
});
