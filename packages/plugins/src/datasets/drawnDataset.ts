import { type Dataset, type KnownDensity } from '@flow-matching/core';
import { hostArray, HostRandomStream, streams, type HostArray } from '@flow-matching/tensor';
import * as z from 'zod';

/** The option of datasets whose points come from one of several parts. */
export const labelOption = {
  labels: z
    .boolean()
    .default(false)
    .describe('Label each point with the part of the data it comes from, as a one-hot condition'),
};

export interface DrawnPoints {
  /** [size, dimension], row-major. */
  readonly points: Float32Array;
  /** The part of each point, from 0. */
  readonly parts?: ArrayLike<number>;
}

export interface DrawnDataset {
  readonly name: string;
  readonly dimension?: number;
  /** Number of parts to label points by. Default: no labels. */
  readonly parts?: number | undefined;
  readonly density?: KnownDensity;
  readonly draw: (random: HostRandomStream, size: number) => DrawnPoints;
}

/** A dataset that draws new points for each batch, as a function of (index, size, seed, split). Points of the plane by default. */
export function drawnDataset({ name, dimension = 2, parts, density, draw }: DrawnDataset): Dataset {
  return {
    name,
    shape: [dimension],
    ...(density && { density }),
    batch({ index, size, seed, split = 'train' }) {
      const stream = split === 'test' ? streams.test : streams.data;
      const drawn = draw(new HostRandomStream(seed, stream, index), size);
      const x1 = hostArray(drawn.points, [size, dimension]);
      return parts === undefined || !drawn.parts ? { x1 } : { x1, condition: { label: oneHot(drawn.parts, parts) } };
    },
  };
}

function oneHot(parts: ArrayLike<number>, count: number): HostArray {
  const data = new Float32Array(parts.length * count);
  for (let i = 0; i < parts.length; i++) data[i * count + parts[i]] = 1;
  return hostArray(data, [parts.length, count]);
}

/** A part for each point, all equally likely. */
export function drawParts(random: HostRandomStream, size: number, count: number): Int32Array {
  return Int32Array.from(random.uniform([size]).data, (u) => Math.floor(u * count));
}
