import type { HostArray } from '@flow-matching/tensor';
import { scaleLinear } from 'd3-scale';

/** A part of the plane, shared by everything shown side by side. */
export interface Domain {
  readonly x: readonly [low: number, high: number];
  readonly y: readonly [low: number, high: number];
}

/** The first two coordinates of points [..., d], as pairs; one-dimensional points lie on the x axis. */
export function planePoints({ data, shape }: HostArray): Float32Array {
  const width = shape.at(-1) ?? 1;
  const count = data.length / width;
  const points = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) {
    points[2 * i] = data[i * width];
    if (width > 1) points[2 * i + 1] = data[i * width + 1];
  }
  return points;
}

/** Both axes have the same scale unless the data is this many times longer along one of them. */
const longer = 5;

/**
 * The part of the plane around all points except the outermost thousandth, with round bounds: a square, unless one coordinate
 * varies so little that the data would look like a line.
 */
export function domainOf(points: Float32Array): Domain {
  const ranges = [0, 1].map((axis): Range => {
    const values = points.filter((_, i) => i % 2 === axis).toSorted();
    const cut = Math.floor(values.length / 1000);
    return [values[cut], values[values.length - 1 - cut]];
  });
  const extents = ranges.map(([low, high]) => high - low);
  const longest = Math.max(...extents);
  const [x, y] = ranges.map(([low, high], axis) => {
    const [extent, centre] = [extents[axis], (low + high) / 2];
    const own = extent > 0 && longest > longer * extent ? extent : longest;
    // Identical points have no extent; this is the smallest extent that float32 resolves.
    return around(centre, 0.55 * Math.max(own, 1e-5 * Math.abs(centre), 1e-30));
  });
  return { x, y };
}

function around(centre: number, half: number): Range {
  const [from, to] = scaleLinear([centre - half, centre + half], [0, 1])
    .nice(10)
    .domain();
  return [from, to];
}

/** How many of the points lie in a part of the plane. */
export function countWithin(points: Float32Array, { x, y }: Domain): number {
  let count = 0;
  for (let i = 0; i < points.length; i += 2) {
    if (points[i] >= x[0] && points[i] <= x[1] && points[i + 1] >= y[0] && points[i + 1] <= y[1]) count++;
  }
  return count;
}

type Range = readonly [low: number, high: number];

const wider = (a: Range, b: Range): Range => [Math.min(a[0], b[0]), Math.max(a[1], b[1])];

/** The smallest part of the plane that contains both. */
export const unionOf = (a: Domain, b: Domain): Domain => ({ x: wider(a.x, b.x), y: wider(a.y, b.y) });
