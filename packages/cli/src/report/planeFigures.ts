import type { Samples } from '@flow-matching/core';
import type { HostArray } from '@flow-matching/tensor';
import { scaleLinear } from 'd3-scale';
import { interpolateViridis } from 'd3-scale-chromatic';
import { densityImage, heatImage } from './densityImage.ts';
import { planePoints, type Domain } from './domain.ts';
import {
  axes,
  escapeText,
  figure,
  image,
  leftMargin,
  round,
  ticksAlong,
  ticksOf,
  widestOf,
  type Frame,
  type Scale,
} from './svg.ts';
import { trajectoryLines } from './trajectoryLines.ts';

const side = 408;
const [top, bottom] = [8, 36];
/** Pixels of the pictures: twice the figure's, for fine screens. */
const resolution = 2 * side;

interface Plane {
  readonly frame: Frame;
  readonly x: Scale;
  readonly y: Scale;
}

/** A square of the page for a part of the plane, with room for the labels of its axes. */
function planeOf(domain: Domain): Plane {
  const y = scaleLinear([...domain.y], [top + side, top]);
  const left = leftMargin(ticksOf(y, 5));
  const x = scaleLinear([...domain.x], [left, left + side]);
  // The last number may stand below the corner.
  const right = Math.max(12, Math.ceil(widestOf(ticksAlong(x, 6)) / 2));
  return { frame: { width: left + side + right, height: top + side + bottom, left, top, right, bottom }, x, y };
}

/** Points of the plane by density. */
export function scatterFigure(label: string, points: HostArray, domain: Domain): string {
  const { frame, x, y } = planeOf(domain);
  return figure(
    frame,
    label,
    image(densityImage(planePoints(points), domain, resolution), frame.left, frame.top, side, side) + axes(frame, x, y),
  );
}

/** The trajectories of particles from noise (open dots) to samples (full dots). */
export function trajectoryFigure({ trajectory }: Pick<Samples, 'trajectory'>, domain: Domain): string {
  const { frame, x, y } = planeOf(domain);
  const clip = `<clipPath id="plane"><rect x="${frame.left}" y="${frame.top}" width="${side}" height="${side}"/></clipPath>`;
  return figure(
    frame,
    'Trajectories of particles from noise to samples',
    `${clip}<g clip-path="url(#plane)">${trajectoryLines(trajectory!, x, y)}</g>${axes(frame, x, y)}`,
  );
}

/** log p₁ on a grid [size², rows from the top], nats, with a colour scale that covers a range of `nats` below the highest values. */
export function heatMapFigure(logDensity: Float64Array, size: number, domain: Domain): string {
  const { frame, x, y } = planeOf(domain);
  const sorted = logDensity.filter((value) => Number.isFinite(value)).toSorted();
  const high = sorted[Math.floor(0.995 * (sorted.length - 1))];
  const low = Math.max(sorted[0], high - 8);
  const bar = scaleLinear([low, high], [frame.top + side, frame.top]);
  const barLeft = frame.left + side + 18;
  const barTicks = ticksOf(bar, 6);
  const more = 42 + widestOf(barTicks);
  const wide: Frame = { ...frame, width: frame.width + more, right: frame.right + more };
  const stops = Array.from(
    { length: 9 },
    (_, i) => `<stop offset="${i / 8}" stop-color="${interpolateViridis(i / 8)}"/>`,
  ).join('');
  const ticks = barTicks.map(
    ({ value, text }) => `<text x="${barLeft + 20}" y="${round(bar(value))}" dy=".32em">${escapeText(text)}</text>`,
  );
  return figure(
    wide,
    'Log-likelihood over the plane',
    `<defs><linearGradient id="heat" x1="0" y1="1" x2="0" y2="0">${stops}</linearGradient></defs>${image(heatImage(logDensity, size, low, high), frame.left, frame.top, side, side)}${axes(wide, x, y)}<rect fill="url(#heat)" x="${barLeft}" y="${frame.top}" width="14" height="${side}"/>${ticks.join('')}`,
  );
}

/** The middles of the cells of a grid over the domain, [size², 2], rows from the top. */
export function gridPoints({ x, y }: Domain, size: number): HostArray {
  const data = new Float32Array(2 * size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      data[2 * (row * size + column)] = x[0] + ((x[1] - x[0]) * (column + 0.5)) / size;
      data[2 * (row * size + column) + 1] = y[1] - ((y[1] - y[0]) * (row + 0.5)) / size;
    }
  }
  return { data, shape: [size * size, 2], dtype: 'f32' };
}
