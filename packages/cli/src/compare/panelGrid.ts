import { scaleLinear } from 'd3-scale';
import type { Domain } from '../report/domain.ts';
import {
  axes,
  escapeText,
  figure,
  leftMargin,
  round,
  ticksAlong,
  ticksOf,
  type Frame,
  type Scale,
  type Tick,
} from '../report/svg.ts';

/** Draws part of the plane with these scales; anything outside is clipped. */
export type Panel = (x: Scale, y: Scale, side: number) => string;

export interface PanelRow {
  readonly label: string;
  readonly note: string;
  readonly panels: readonly (Panel | undefined)[];
}

const width = 960;
const yLabel = 'x₂';
const [right, top, gap] = [6, 30, 8];
/** Room above a row for its label, and below the last one for the axis. */
const [header, footer] = [26, 40];

/** Panels of one part of the plane in rows and columns, all on the same axes. */
export function panelGrid(
  label: string,
  columns: readonly string[],
  rows: readonly PanelRow[],
  domain: Domain,
): string {
  const y = scaleLinear([...domain.y], [1, 0]);
  const left = leftMargin(inner(ticksOf(y, 4), y), yLabel);
  const side = Math.floor((width - left - right - gap * (columns.length - 1)) / columns.length);
  const height = top + rows.length * (header + side) + footer;
  const prefix = label.toLowerCase().replaceAll(/\W+/g, '-');
  const leftOf = (column: number): number => left + column * (side + gap);
  const topOf = (row: number): number => top + row * (header + side) + header;
  const headings = columns.map(
    (text, column) => `<text class="middle" x="${round(leftOf(column) + side / 2)}" y="16">${escapeText(text)}</text>`,
  );
  const drawn = rows.map(({ label: name, note, panels }, row) => {
    const title = `<text x="${left}" y="${round(topOf(row) - 8)}"><tspan class="strong">${escapeText(name)}</tspan><tspan dx="10">${escapeText(note)}</tspan></text>`;
    const cells = panels.map((panel, column) => {
      const place = { left: leftOf(column), top: topOf(row), side };
      const labelled = { x: row === rows.length - 1, y: column === 0 };
      return drawPanel(panel, place, domain, `${prefix}-${row}-${column}`, labelled);
    });
    return title + cells.join('');
  });
  const frame: Frame = { width, height: Math.ceil(height), left, top, right, bottom: footer };
  return figure(frame, label, [...headings, ...drawn].join(''));
}

function drawPanel(
  panel: Panel | undefined,
  place: { readonly left: number; readonly top: number; readonly side: number },
  domain: Domain,
  id: string,
  labelled: { readonly x: boolean; readonly y: boolean },
): string {
  const { side } = place;
  const [bottom, end] = [place.top + side, place.left + side];
  const x = scaleLinear([...domain.x], [place.left, end]);
  const y = scaleLinear([...domain.y], [bottom, place.top]);
  const [xTicks, yTicks] = [inner(ticksAlong(x, 4), x), inner(ticksOf(y, 4), y)];
  const frame: Frame = { ...place, width: end, height: bottom, right: 0, bottom: 0 };
  const clip = `<clipPath id="${id}"><rect x="${round(place.left)}" y="${round(place.top)}" width="${round(side)}" height="${round(side)}"/></clipPath>`;
  return [
    panel
      ? `${clip}<g clip-path="url(#${id})">${panel(x, y, side)}</g>`
      : `<text class="middle" x="${round(place.left + side / 2)}" y="${round(place.top + side / 2)}">not found</text>`,
    axes(frame, x, y, {
      xTicks: labelled.x ? xTicks : withoutTexts(xTicks),
      yTicks: labelled.y ? yTicks : withoutTexts(yTicks),
      yLabel: labelled.y ? yLabel : '',
    }),
    labelled.x && `<text class="middle" x="${round(place.left + side / 2)}" y="${round(bottom + 34)}">x₁</text>`,
  ]
    .filter(Boolean)
    .join('');
}

/** Ticks except those at the corners, whose labels would overlap the next panel's. */
function inner(ticks: readonly Tick[], scale: Scale): Tick[] {
  const [low, high] = scale.domain();
  return ticks.filter(({ value }) => Math.min(value - low, high - value) > 0.06 * (high - low));
}

const withoutTexts = (ticks: readonly Tick[]): Tick[] => ticks.map(({ value }) => ({ value, text: '' }));
