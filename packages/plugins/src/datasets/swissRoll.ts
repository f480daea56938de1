import { defineDataset } from '@flow-matching/core';
import * as z from 'zod';
import { curveOptions, drawCurve } from './curve.ts';
import { drawnDataset } from './drawnDataset.ts';

/** A spiral t·(cos t, sin t) for t uniform on [3π/2, 9π/2], scikit-learn's roll viewed from the side, with FFJORD's scale and noise. */
export const swissRoll = defineDataset({
  name: 'swiss-roll',
  summary: 'One spiral of a turn and a half, with Gaussian noise',
  options: z.strictObject(curveOptions(0.2, 1)),
  create: (options) =>
    drawnDataset({
      name: 'swiss-roll',
      draw: (random, size) => {
        const t = random.uniform([size], 1.5 * Math.PI, 4.5 * Math.PI).data;
        return { points: drawCurve(random, size, options, (i) => [t[i] * Math.cos(t[i]), t[i] * Math.sin(t[i])]) };
      },
    }),
});
