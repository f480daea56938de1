import type { HostArray } from '@flow-matching/core';
import { scaleLinear } from 'd3-scale';

/** A square part of the plane, the same for everything that is shown side by side. */
export interface Domain {
  readonly x: readonly [low: number, high: number];
  readonly y: readonly [low: number, high: number];
}

/** The first two coordinates of points [..., d], as pairs; those of one dimension lie on the x axis. */
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

/** A square around all points but the outermost thousandth, with round ends. */
export function domainOf(points: Float32Array): Domain {
  const [x, y] = [0, 1].map((axis) => {
    const values = points.filter((_, i) => i % 2 === axis).toSorted();
    const cut = Math.floor(values.length / 1000);
    return [values[cut], values[values.length - 1 - cut]];
  });
  const half = 0.55 * Math.max(x[1] - x[0], y[1] - y[0], 1e-6);
  const around = ([low, high]: number[]): [number, number] => {
    const [from, to] = scaleLinear([(low + high) / 2 - half, (low + high) / 2 + half], [0, 1])
      .nice(10)
      .domain();
    return [from, to];
  };
  return { x: around(x), y: around(y) };
}

type Range = readonly [low: number, high: number];

const wider = (a: Range, b: Range): Range => [Math.min(a[0], b[0]), Math.max(a[1], b[1])];

/** The smallest part of the plane that holds both. */
export const unionOf = (a: Domain, b: Domain): Domain => ({ x: wider(a.x, b.x), y: wider(a.y, b.y) });
