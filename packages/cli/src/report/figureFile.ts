import { figureStyle } from './figureStyle.ts';

/** A figure as a separate file: with its style, on white. */
export const figureFile = (svg: string): string =>
  `${svg.replace(/^<svg viewBox="0 0 (\S+) (\S+)"[^>]*>/, (opening, width, height) => `${opening.slice(0, -1)} xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><style>${figureStyle}</style><rect width="${width}" height="${height}" fill="#fff"/>`)}\n`;
