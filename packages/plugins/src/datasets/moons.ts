import { defineDataset } from '@flow-matching/core';
import * as z from 'zod';
import { drawnDataset, drawParts, labelOption } from './drawnDataset.ts';

/**
 * Two interleaved half circles, times `scale`, plus `shift`. By default they are those of torchcfm's tutorials, with torchdyn's
 * noise: a uniform shift along the diagonal, the same for both coordinates. scikit-learn's noise is Gaussian.
 */
export const moons = defineDataset({
  name: 'moons',
  summary: 'Two interleaved half circles, by default 3x − 1 with noise 0.2',
  options: z.strictObject({
    scale: z.float32().positive().default(3).describe('Factor on all coordinates, applied before the shift'),
    shift: z
      .union([z.float32(), z.tuple([z.float32(), z.float32()])])
      .default(-1)
      .describe('Added to both coordinates, or [x, y]'),
    noise: z
      .float32()
      .min(0)
      .default(0.2)
      .describe(
        'Size of the noise before scaling: the range of a diagonal shift, or the standard deviation of a Gaussian',
      ),
    noiseKind: z
      .enum(['diagonal', 'gaussian'])
      .default('diagonal')
      .describe('Shift points along the diagonal, or add Gaussian noise to both coordinates'),
    ...labelOption,
  }),
  create: ({ scale, shift, noise, noiseKind, labels }) =>
    drawnDataset({
      name: 'moons',
      parts: labels ? 2 : undefined,
      draw: (random, size) => {
        const parts = drawParts(random, size, 2);
        const angles = random.uniform([size], 0, Math.PI).data;
        const [left, up] = typeof shift === 'number' ? [shift, shift] : shift;
        const diagonal = noiseKind === 'diagonal';
        const offsets = diagonal ? random.uniform([size], 0, noise).data : random.normal([size, 2], noise).data;
        const points = new Float32Array(2 * size);
        for (let i = 0; i < size; i++) {
          const [x, y] = [Math.cos(angles[i]), Math.sin(angles[i])];
          const [dx, dy] = diagonal ? [offsets[i], offsets[i]] : [offsets[2 * i], offsets[2 * i + 1]];
          points[2 * i] = scale * ((parts[i] === 0 ? x : 1 - x) + dx) + left;
          points[2 * i + 1] = scale * ((parts[i] === 0 ? y : 0.5 - y) + dy) + up;
        }
        return { points, parts };
      },
    }),
});
