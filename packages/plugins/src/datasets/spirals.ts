import { defineDataset } from '@flow-matching/core';
import * as z from 'zod';
import { curveOptions, drawCurve } from './curve.ts';
import { drawnDataset, drawParts, labelOption } from './drawnDataset.ts';

/** Two spirals ±t·(−cos t, sin t) with t = 3π√u, u uniform: about equally many points per arc length (FFJORD's 2spirals). */
export const spirals = defineDataset({
  name: 'spirals',
  summary: 'Two spirals of a turn and a half, with Gaussian noise',
  options: z.strictObject({ ...curveOptions(1 / 3, 0.3), ...labelOption }),
  create: ({ labels, ...options }) =>
    drawnDataset({
      name: 'spirals',
      parts: labels ? 2 : undefined,
      draw: (random, size) => {
        const parts = drawParts(random, size, 2);
        const share = random.uniform([size]).data;
        const points = drawCurve(random, size, options, (i) => {
          const t = 3 * Math.PI * Math.sqrt(share[i]);
          const radius = parts[i] === 0 ? t : -t;
          return [-radius * Math.cos(t), radius * Math.sin(t)];
        });
        return { points, parts };
      },
    }),
});
