import { defineObjective, PathError, requireProportionalMean, type Objective } from '@flow-matching/core';
import { z } from 'zod';
import { checkerboardDensity } from '../densities/checkerboardDensity.ts';
import { gaussianMixture } from '../densities/gaussianMixture.ts';
import type { MarginalDensity } from '../densities/marginalDensity.ts';
import { meanSquare } from './meanSquare.ts';

const isDensity = (value: unknown): value is MarginalDensity =>
  typeof value === 'object' && value !== null && typeof (value as Partial<MarginalDensity>).field === 'function';

const mixture = z.strictObject({
  name: z.literal('gaussian-mixture'),
  weights: z.array(z.number()),
  means: z.array(z.array(z.number())),
  stds: z.array(z.number()),
});

/**
 * Flow matching against the marginal field itself (Lipman et al. 2023, equation 5), for data whose marginals are known in closed
 * form. Its gradient is that of conditional flow matching (Theorem 2) without the noise of the conditional targets.
 */
export const flowMatching = defineObjective({
  name: 'flow-matching',
  summary: 'Mean squared error to the exact marginal field of known data',
  options: z.strictObject({
    /** The data's distribution: by name, or as an object with its marginals. */
    density: z.union([z.strictObject({ name: z.literal('checkerboard') }), mixture, z.custom<MarginalDensity>(isDensity)]),
  }),
  create: ({ density: given }): Objective => {
    const density = isDensity(given) ? given : given.name === 'checkerboard' ? checkerboardDensity() : gaussianMixture(given);
    return {
      name: 'flow-matching',
      validate(path, shape) {
        requireProportionalMean(path, "objective 'flow-matching'", shape);
        if (shape.length === 1 && shape[0] === density.dimension) return;
        throw new PathError(`The objective 'flow-matching' knows the field of points [${density.dimension}].`, {
          actual: shape,
          expected: `data of that shape`,
        });
      },
      loss: (prediction, { path, t, x }) => meanSquare(prediction.sub(density.field(path, t, x))),
      field: (prediction) => prediction,
    };
  },
});
