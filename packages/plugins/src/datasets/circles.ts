import { defineDataset } from '@flow-matching/core';
import * as z from 'zod';
import { ringsDensity } from '../densities/ringsDensity.ts';
import { curveOptions, drawCurve } from './curve.ts';
import { drawnDataset, drawParts, labelOption } from './drawnDataset.ts';

/** Two concentric circles of radius 1 and `factor`, each with half of the points, with FFJORD's scale and noise. */
export const circles = defineDataset({
  name: 'circles',
  summary: 'Two concentric circles with Gaussian noise, and their density',
  options: z.strictObject({
    factor: z
      .float32()
      .positive()
      .lt(1)
      .default(0.5)
      .describe('Radius of the inner circle, as a fraction of the outer one'),
    ...curveOptions(3, 0.08),
    ...labelOption,
  }),
  create: ({ factor, labels, ...options }) => {
    const radii = [1, factor];
    const { scale, noise } = options;
    return drawnDataset({
      name: 'circles',
      parts: labels ? 2 : undefined,
      ...(noise > 0 && { density: ringsDensity({ radii: radii.map((radius) => scale * radius), std: scale * noise }) }),
      draw: (random, size) => {
        const parts = drawParts(random, size, 2);
        const angle = random.uniform([size], 0, 2 * Math.PI).data;
        const points = drawCurve(random, size, options, (i) => {
          const radius = radii[parts[i]];
          return [radius * Math.cos(angle[i]), radius * Math.sin(angle[i])];
        });
        return { points, parts };
      },
    });
  },
});
