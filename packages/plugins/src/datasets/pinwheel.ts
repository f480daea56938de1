import { defineDataset } from '@flow-matching/core';
import * as z from 'zod';
import { drawnDataset, drawParts, labelOption } from './drawnDataset.ts';

/** One-hot labels take one number per arm and point. */
const largestArms = 1000;

/** Bent arms around the origin (Johnson et al. 2016, "Composing graphical models with neural networks"), with FFJORD's settings. */
export const pinwheel = defineDataset({
  name: 'pinwheel',
  summary: 'Five bent arms around the origin',
  options: z.strictObject({
    arms: z.int().positive().max(largestArms).default(5).describe('Number of arms'),
    radialStd: z.float32().min(0).default(0.3).describe('Standard deviation along an arm, before scaling'),
    tangentialStd: z.float32().min(0).default(0.1).describe('Standard deviation across an arm, before scaling'),
    rate: z
      .float32()
      .default(0.25)
      .describe('How much the arms bend: the angle grows by this times the exponential of the radius'),
    scale: z.float32().positive().default(2).describe('Factor on all coordinates'),
    ...labelOption,
  }),
  create: ({ arms, radialStd, tangentialStd, rate, scale, labels }) =>
    drawnDataset({
      name: 'pinwheel',
      parts: labels ? arms : undefined,
      draw: (random, size) => {
        const parts = drawParts(random, size, arms);
        const points = random.normal([size, 2]).data as Float32Array;
        for (let i = 0; i < size; i++) {
          const along = 1 + radialStd * points[2 * i];
          const across = tangentialStd * points[2 * i + 1];
          const angle = (2 * Math.PI * parts[i]) / arms + rate * Math.exp(along);
          const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
          points[2 * i] = scale * (along * cos + across * sin);
          points[2 * i + 1] = scale * (across * cos - along * sin);
        }
        return { points, parts };
      },
    }),
});
