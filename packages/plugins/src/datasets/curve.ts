import type { HostRandomStream } from '@flow-matching/tensor';
import * as z from 'zod';

/** Options of curves in the plane with Gaussian noise around them. */
export const curveOptions = (scale: number, noise: number) => ({
  scale: z.float32().positive().default(scale).describe('Factor on all coordinates, noise included'),
  noise: z.float32().min(0).default(noise).describe('Standard deviation around the curve, before scaling'),
});

/** scale·(curve point + noise) for each point; `at` writes point i of the curve. */
export function drawCurve(
  random: HostRandomStream,
  size: number,
  { scale, noise }: { readonly scale: number; readonly noise: number },
  at: (i: number) => readonly [x: number, y: number],
): Float32Array {
  const points = random.normal([size, 2], noise).data as Float32Array;
  for (let i = 0; i < size; i++) {
    const [x, y] = at(i);
    points[2 * i] = scale * (x + points[2 * i]);
    points[2 * i + 1] = scale * (y + points[2 * i + 1]);
  }
  return points;
}
