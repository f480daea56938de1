import type { ScaleContinuousNumeric } from 'd3-scale';
import type { Picture } from './densityImage.ts';
import { encodePng } from './encodePng.ts';

/** Any numeric scale with ticks. */
export type Scale = ScaleContinuousNumeric<number, number>;

/** The area of a figure in which data is drawn, in pixels. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export const escapeText = (text: string): string => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** One decimal: finer than a pixel. */
export const round = (value: number): string => String(Math.round(value * 10) / 10);

export function figure({ width, height }: Frame, label: string, content: string): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeText(label)}">${content}</svg>`;
}

/** A position on an axis, and its label. */
export interface Tick {
  readonly value: number;
  readonly text: string;
}

export interface AxesOptions {
  /** Faint lines across. */
  readonly grid?: boolean;
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** Replaces the scale's own ticks. */
  readonly xTicks?: readonly Tick[];
  readonly yTicks?: readonly Tick[];
}

/** About `count` round numbers along a linear scale, with an exponent if they would have many zeros. */
export function ticksOf(scale: Scale, count: number): Tick[] {
  const values = scale.ticks(count);
  const largest = Math.max(Math.abs(values[0] ?? 0), Math.abs(values.at(-1) ?? 0));
  const plain = largest === 0 || (largest >= 1e-2 && largest < 1e5);
  const format = scale.tickFormat(count, plain ? undefined : '~e');
  return values.map((value) => ({ value, text: value === 0 ? '0' : format(value).replace('e+', 'e') }));
}

/** An upper bound of the width of a text in figures, whose letters are 12 pixels high. */
const widthOf = (text: string): number => 7 * text.length;

/** Width of the widest tick label, in pixels. */
export const widestOf = (ticks: readonly Tick[]): number =>
  ticks.reduce((most, { text }) => Math.max(most, widthOf(text)), 0);

/** As many ticks as fit side by side along a scale in pixels. */
export function ticksAlong(scale: Scale, count: number): Tick[] {
  const [from, to] = scale.range();
  for (let fewer = count; fewer > 1; fewer--) {
    const ticks = ticksOf(scale, fewer);
    if (ticks.length * (widestOf(ticks) + 8) <= Math.abs(to - from)) return ticks;
  }
  return ticksOf(scale, 1);
}

/** Pixels between the labels of an axis and the axis. */
const tickGap = 8;

/** The width of a left axis including its label: `left` of a frame. */
export const leftMargin = (yTicks: readonly Tick[], yLabel = ''): number =>
  Math.ceil(tickGap + widestOf(yTicks) + (yLabel ? 22 : 4));

/** Axes with ticks and labels. The frame's `left` is at least {@link leftMargin}. */
export function axes(frame: Frame, x: Scale, y: Scale, options: AxesOptions = {}): string {
  const { grid = false, xLabel = '', yLabel = '', xTicks = ticksAlong(x, 6), yTicks = ticksOf(y, 5) } = options;
  const [left, right] = [frame.left, frame.width - frame.right];
  const [top, bottom] = [frame.top, frame.height - frame.bottom];
  return [
    ...yTicks.map(({ value, text }) => {
      const at = round(y(value));
      return `${grid ? `<path class="grid" d="M${left} ${at}H${right}"/>` : `<path class="tick" d="M${left} ${at}h-4"/>`}<text class="end" x="${round(left - tickGap)}" y="${at}" dy=".32em">${escapeText(text)}</text>`;
    }),
    ...xTicks.map(({ value, text }) => {
      const at = round(x(value));
      return `<path class="tick" d="M${at} ${bottom}v4"/><text class="middle" x="${at}" y="${bottom + 18}">${escapeText(text)}</text>`;
    }),
    grid
      ? `<path class="axis" d="M${left} ${bottom}H${right}"/>`
      : `<rect class="axis" x="${left}" y="${top}" width="${right - left}" height="${bottom - top}"/>`,
    xLabel &&
      `<text class="middle label" x="${(left + right) / 2}" y="${frame.height - 4}">${escapeText(xLabel)}</text>`,
    yLabel &&
      `<text class="middle label" transform="translate(${round(left - tickGap - widestOf(yTicks) - 9)} ${round((top + bottom) / 2)}) rotate(-90)">${escapeText(yLabel)}</text>`,
  ].join('');
}

/** Pixels as an inline image. */
export function image(picture: Picture, x: number, y: number, width: number, height: number): string {
  const png = Buffer.from(encodePng(picture)).toString('base64');
  return `<image x="${x}" y="${y}" width="${width}" height="${height}" preserveAspectRatio="none" href="data:image/png;base64,${png}"/>`;
}
