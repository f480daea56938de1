import { work, type Work } from '../works.ts';

/** A work whose operations are counted, so that times become rates. */
export interface WebgpuWork extends Work {
  /** Units of the hidden layers, or rows and columns of the matrices. */
  readonly width: number;
  /** Multiplications and additions of the matrix products in one operation; there are few others. */
  readonly flop: number;
}

const batch = 256;
const layers = 5;
const dimension = 2;

/** Layer extents of the network: the point and the time come in, a velocity goes out. */
export const layerSizes = (width: number): number[] => [
  dimension + 1,
  ...Array.from({ length: layers - 1 }, () => width),
  dimension,
];

/** Three products a layer: forward, towards the weight, towards the input, which the first layer has no need of. */
function trainingFlop(width: number): number {
  const sizes = layerSizes(width);
  return sizes.slice(1).reduce((sum, to, i) => sum + 2 * batch * sizes[i] * to * (i === 0 ? 2 : 3), 0);
}

/** What every subject does. A processor that stands in for a GPU needs seconds for what a GPU does in a blink. */
export const webgpuWorks = (software: boolean): WebgpuWork[] => [
  ...[512, 1024].map((width) => ({
    ...work('product', width, software ? 1 : 50, software ? 2 : 5),
    width,
    flop: 2 * width ** 3,
  })),
  ...[128, 512].map((width) => ({
    ...work('training', batch, software ? 1 : 50, software && width === 128 ? 5 : software ? 1 : 5),
    id: `training/${batch}x${width}`,
    title: `Training step, batch ${batch}, width ${width}`,
    width,
    flop: trainingFlop(width),
  })),
];
