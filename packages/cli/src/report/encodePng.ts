import { encode, type IndexedColors } from 'fast-png';
import type { Picture } from './densityImage.ts';

/** A picture as a PNG file: one byte per pixel if its colours fit a palette, which makes it about half as large. */
export function encodePng({ width, height, data }: Picture): Uint8Array {
  const pixels = new Uint32Array(data.slice().buffer);
  const colors = [...new Set(pixels)];
  if (colors.length > 256) return encode({ width, height, data, channels: 4, depth: 8 });
  const indices = new Map(colors.map((color, i) => [color, i]));
  const bytes = new Uint8Array(Uint32Array.from(colors).buffer);
  const palette: IndexedColors = colors.map((_, i) => [bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2]]);
  const indexed = Uint8Array.from(pixels, (color) => indices.get(color)!);
  return encode({ width, height, data: indexed, channels: 1, depth: 8, palette }, { zlib: { level: 9 } });
}
