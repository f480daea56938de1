import { defineObjective, PathError, requireProportionalMean, type Objective } from '@flow-matching/core';
import * as z from 'zod';
import { checkerboardDensity } from '../densities/checkerboardDensity.ts';
import { gaussianMixture } from '../densities/gaussianMixture.ts';
import type { MarginalDensity } from '../densities/marginalDensity.ts';
import { meanSquare } from './meanSquare.ts';

const isDensity = (value: unknown): value is MarginalDensity =>
  typeof value === 'object' && value !== null && typeof (value as Partial<MarginalDensity>).field === 'function';

const mixture = z.strictObject({
  name: z.literal('gaussian-mixture'),
  means: z.array(z.array(z.float32()).min(1)).min(1),
  /** One standard deviation per component, or one for all. */
  stds: z.union([z.array(z.float32()), z.float32()]).default(1),
  /** Normalized to sum 1; equal by default. */
  weights: z.array(z.float32()).optional(),
});

function densityOf(spec: { readonly name: 'checkerboard' } | z.output<typeof mixture>): MarginalDensity {
  if (spec.name === 'checkerboard') return checkerboardDensity();
  const { means, stds, weights = means.map(() => 1) } = spec;
  return gaussianMixture({ means, weights, stds: typeof stds === 'number' ? means.map(() => stds) : stds });
}

/**
 * Flow matching with the marginal field as the target (Lipman et al. 2023, equation 5), for data whose marginals are known in
 * closed form. Its gradient is that of conditional flow matching (Theorem 2) without the noise of the conditional targets.
 */
export const flowMatching = defineObjective({
  name: 'flow-matching',
  summary: 'Mean squared error to the exact marginal field of known data',
  options: z.strictObject({
    density: z
      .union([z.strictObject({ name: z.literal('checkerboard') }), mixture, z.custom<MarginalDensity>(isDensity)])
      .describe('Distribution of the data: the name and options of a data set whose density is known'),
  }),
  create: ({ density: given }): Objective => {
    const density = isDensity(given) ? given : densityOf(given);
    return {
      name: 'flow-matching',
      validate(path, shape) {
        requireProportionalMean(path, "objective 'flow-matching'", shape);
        if (shape.length === 1 && shape[0] === density.dimension) return;
        throw new PathError(`The objective 'flow-matching' knows the field of points [${density.dimension}].`, {
          actual: shape,
          expected: 'data of that shape',
        });
      },
      loss: (prediction, { path, t, x }) => meanSquare(prediction.sub(density.field(path, t, x))),
      field: (prediction) => prediction,
    };
  },
});
