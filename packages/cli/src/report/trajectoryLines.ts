import type { HostArray } from '@flow-matching/tensor';
import { planePoints } from './domain.ts';
import { round, type Scale } from './svg.ts';

/** The trajectories of particles, [count, points, d], as lines with a dot at either end. */
export function trajectoryLines(trajectory: HostArray, x: Scale, y: Scale): string {
  const [count, points] = trajectory.shape;
  const cloud = planePoints(trajectory);
  /** In tenths of a pixel: integers, so that errors of differences do not accumulate. */
  const at = (particle: number, point: number): readonly [number, number] => {
    const i = 2 * (particle * points + point);
    return [Math.round(10 * x(cloud[i])), Math.round(10 * y(cloud[i + 1]))];
  };
  const place = ([left, top]: readonly [number, number]): string => `${round(left / 10)} ${round(top / 10)}`;
  const particles = Array.from({ length: count }, (_, particle) => particle);
  const line = (particle: number): string => {
    // Differences are shorter than absolute positions.
    const moves = Array.from({ length: points - 1 }, (_, point) => {
      const [[left, top], [nextLeft, nextTop]] = [at(particle, point), at(particle, point + 1)];
      return place([nextLeft - left, nextTop - top]);
    });
    return `M${place(at(particle, 0))}l${moves.join(' ')}`;
  };
  const dots = (point: number): string => particles.map((particle) => `M${place(at(particle, point))}h0`).join('');
  return `<path class="trajectory" d="${particles.map(line).join('')}"/><path class="begin" d="${dots(0)}"/><path class="end-dot" d="${dots(points - 1)}"/>`;
}
