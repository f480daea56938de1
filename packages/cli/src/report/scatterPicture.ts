import type { HostArray } from '@flow-matching/tensor';
import { scaleLinear } from 'd3-scale';
import { encode } from 'fast-png';
import { densityImage, rgb, type Picture, type Rgb } from './densityImage.ts';
import { domainOf, planePoints, type Domain } from './domain.ts';
import { advance, drawText } from './pixelFont.ts';
import { ticksAlong, ticksOf, type Tick } from './svg.ts';

/** One panel: a title in the letters of the pixel font, and points [..., d], of which the first two coordinates are shown. */
export interface Panel {
  readonly title: string;
  readonly points: HostArray;
}

const side = 480;
const margin = { right: 20, top: 44, bottom: 40 };
const grey = rgb('#666666');
const black = rgb('#222222');

/** Canvas pixels per font pixel. */
const zoom = 2;
const widthOf = (text: string): number => (text.length * advance - 1) * zoom;

interface Ticks {
  readonly x: readonly Tick[];
  readonly y: readonly Tick[];
}

/** Panels side by side on the same axes, as a PNG file. */
export function scatterPicture(panels: readonly Panel[]): Uint8Array {
  const clouds = panels.map(({ points }) => planePoints(points));
  const domain = domainOf(clouds[0]);
  // A tick in the font's letters is as wide as in two pixels of a figure.
  const ticks = {
    x: ticksAlong(scaleLinear([...domain.x], [0, side / zoom]), 5),
    y: ticksOf(scaleLinear([...domain.y], [0, side]), 5),
  };
  const left = 14 + Math.max(...ticks.y.map(({ text }) => widthOf(text)));
  const panelWidth = left + side + margin.right;
  const canvas = new Canvas(panelWidth * panels.length, margin.top + side + margin.bottom);
  panels.forEach(({ title }, i) => drawPanel(canvas, i * panelWidth + left, title, clouds[i], domain, ticks));
  return encode({ width: canvas.width, height: canvas.height, data: canvas.data, channels: 4, depth: 8 });
}

function drawPanel(
  canvas: Canvas,
  left: number,
  title: string,
  cloud: Float32Array,
  domain: Domain,
  ticks: Ticks,
): void {
  canvas.place(densityImage(cloud, domain, side), left, margin.top);
  canvas.frame(left - 1, margin.top - 1, side + 2, grey);
  canvas.text(title, left + side / 2, 14, black, 'middle');
  const x = scaleLinear([...domain.x], [left, left + side]);
  const y = scaleLinear([...domain.y], [margin.top + side, margin.top]);
  for (const { value, text } of ticks.x) {
    canvas.line(Math.round(x(value)), margin.top + side, 1, 5, grey);
    canvas.text(text, x(value), margin.top + side + 12, grey, 'middle');
  }
  for (const { value, text } of ticks.y) {
    canvas.line(left - 6, Math.round(y(value)), 5, 1, grey);
    canvas.text(text, left - 10, y(value) - 7, grey, 'end');
  }
}

/** A white picture to draw on. */
class Canvas implements Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.data = new Uint8Array(4 * width * height).fill(255);
  }

  set(x: number, y: number, pixel: Rgb): void {
    if (x >= 0 && y >= 0 && x < this.width && y < this.height) this.data.set(pixel, 4 * (y * this.width + x));
  }

  /** A filled rectangle. */
  line(x: number, y: number, width: number, height: number, pixel: Rgb): void {
    for (let dy = 0; dy < height; dy++) for (let dx = 0; dx < width; dx++) this.set(x + dx, y + dy, pixel);
  }

  frame(x: number, y: number, size: number, pixel: Rgb): void {
    this.line(x, y, size, 1, pixel);
    this.line(x, y + size - 1, size, 1, pixel);
    this.line(x, y, 1, size, pixel);
    this.line(x + size - 1, y, 1, size, pixel);
  }

  place({ width, height, data }: Picture, x: number, y: number): void {
    for (let row = 0; row < height; row++)
      this.data.set(data.subarray(4 * row * width, 4 * (row + 1) * width), 4 * ((y + row) * this.width + x));
  }

  text(text: string, x: number, y: number, pixel: Rgb, anchor: 'middle' | 'end'): void {
    const width = widthOf(text);
    const [left, top] = [Math.round(x - (anchor === 'middle' ? width / 2 : width)), Math.round(y)];
    drawText(text, (column, row) => this.line(left + column * zoom, top + row * zoom, zoom, zoom, pixel));
  }
}
