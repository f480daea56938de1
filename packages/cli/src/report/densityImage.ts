import { color } from 'd3-color';
import { interpolateBlues, interpolateViridis } from 'd3-scale-chromatic';
import type { Domain } from './domain.ts';

/** RGBA pixels, row by row from the top. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

export type Rgb = readonly [red: number, green: number, blue: number];

export function rgb(css: string): Rgb {
  const { r, g, b } = color(css)!.rgb();
  return [r, g, b];
}

/** Ink per point. */
const ink = 0.55;

/**
 * Points as ink on white: dense regions are dark. Dots get smaller and lighter as their number grows, so that pictures with
 * different counts can be compared. Few `shades` make small files.
 */
export function densityImage(points: Float32Array, domain: Domain, size: number, shades = 256): Picture {
  const count = points.length / 2;
  const weight = new Float32Array(size * size);
  const [left, right] = domain.x;
  const [bottom, top] = domain.y;
  for (let i = 0; i < count; i++) {
    const x = ((points[2 * i] - left) / (right - left)) * size - 0.5;
    const y = ((top - points[2 * i + 1]) / (top - bottom)) * size - 0.5;
    spread(weight, size, x, y);
  }
  // Twenty thousand points on a picture of 400 × 400 fill half of it.
  const strength = ink * Math.max(1, Math.min(4, 12_000 / count)) * (size / 400) ** 2;
  const levels = weight.map((value) => Math.round((shades - 1) * (1 - Math.exp(-value * strength))) / (shades - 1));
  return paint(size, levels, (level) => interpolateBlues(0.95 * level), '#ffffff');
}

/** A soft dot of three pixels. */
function spread(weight: Float32Array, size: number, x: number, y: number): void {
  const [column, row] = [Math.round(x), Math.round(y)];
  for (let dy = -1; dy <= 1; dy++) {
    for (let dx = -1; dx <= 1; dx++) {
      const [u, v] = [column + dx, row + dy];
      if (u < 0 || v < 0 || u >= size || v >= size) continue;
      weight[v * size + u] += Math.exp(-((u - x) ** 2 + (v - y) ** 2));
    }
  }
}

/** Values on a grid, row by row from the top, as colours; `low` and below are the darkest, `high` the brightest. */
export function heatImage(values: Float64Array, size: number, low: number, high: number): Picture {
  return paint(size, values, (value) => interpolateViridis(Math.max(0, Math.min(1, (value - low) / (high - low)))));
}

function paint(
  size: number,
  values: Float32Array | Float64Array,
  shade: (value: number) => string,
  empty?: string,
): Picture {
  const data = new Uint8Array(4 * size * size);
  const shades = new Map<number, Rgb>();
  values.forEach((value, i) => {
    // As many shades as a screen can show, so that few are computed.
    const rounded = Math.round(value * 256) / 256;
    let pixel = shades.get(rounded);
    if (!pixel) shades.set(rounded, (pixel = rgb(value === 0 && empty !== undefined ? empty : shade(rounded))));
    data.set([...pixel, 255], 4 * i);
  });
  return { width: size, height: size, data };
}
