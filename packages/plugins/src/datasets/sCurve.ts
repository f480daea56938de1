import { defineDataset } from '@flow-matching/core';
import * as z from 'zod';
import { curveOptions, drawCurve } from './curve.ts';
import { drawnDataset } from './drawnDataset.ts';

/** Two arcs that form an S: (sin t, sign(t)(cos t − 1)) for t uniform on ±3π/2, scikit-learn's curve viewed from the side. */
export const sCurve = defineDataset({
  name: 's-curve',
  summary: 'Two arcs that form an S, with Gaussian noise',
  options: z.strictObject(curveOptions(1.5, 0.05)),
  create: (options) =>
    drawnDataset({
      name: 's-curve',
      draw: (random, size) => {
        const t = random.uniform([size], -1.5 * Math.PI, 1.5 * Math.PI).data;
        return {
          points: drawCurve(random, size, options, (i) => [Math.sin(t[i]), Math.sign(t[i]) * (Math.cos(t[i]) - 1)]),
        };
      },
    }),
});
