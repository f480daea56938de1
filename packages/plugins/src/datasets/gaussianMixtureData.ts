import { defineDataset, type Dataset } from '@flow-matching/core';
import * as z from 'zod';
import type { GaussianMixtureOptions } from '../densities/gaussianMixture.ts';
import { mixtureDensity } from '../densities/mixtureDensity.ts';
import { drawnDataset, labelOption } from './drawnDataset.ts';

const list = z.array(z.float32()).min(1);

/**
 * An isotropic Gaussian mixture with its exact density.
 *
 * @throws OptionError if the lists do not match.
 */
export const gaussianMixtureData = defineDataset({
  name: 'gaussian-mixture',
  summary: 'An isotropic Gaussian mixture with its exact density',
  options: z.strictObject({
    means: z.array(list).min(1).describe('Means of the components, one list of coordinates each'),
    stds: z
      .union([list, z.float32().positive()])
      .default(1)
      .describe('Standard deviations of the components: one number each, or one for all'),
    weights: list.exactOptional().describe('Weights of the components, divided by their sum; equal by default'),
    ...labelOption,
  }),
  create: ({ means, stds, weights = means.map(() => 1), labels }) =>
    mixtureDataset(
      'gaussian-mixture',
      { means, weights, stds: typeof stds === 'number' ? means.map(() => stds) : stds },
      labels,
    ),
});

/** A dataset drawn from a mixture. */
export function mixtureDataset(name: string, mixture: GaussianMixtureOptions, labels: boolean): Dataset {
  const { means, stds, weights } = mixture;
  const density = mixtureDensity(mixture);
  const dimension = means[0].length;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  const bounds = weights.map((weight) => (sum += weight) / total);
  const last = means.length - 1;
  return drawnDataset({
    name,
    dimension,
    parts: labels ? means.length : undefined,
    density,
    draw: (random, size) => {
      const points = random.normal([size, dimension]).data as Float32Array;
      const parts = Int32Array.from(random.uniform([size]).data, (u) => {
        const part = bounds.findIndex((bound) => u < bound);
        return part < 0 ? last : part;
      });
      for (let i = 0; i < points.length; i++) {
        const part = parts[Math.floor(i / dimension)];
        points[i] = means[part][i % dimension] + stds[part] * points[i];
      }
      return { points, parts };
    },
  });
}
