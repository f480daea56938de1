import { defineDataset, type BatchRequest, type Dataset } from '@flow-matching/core';
import { hostArray, philox, seedKey, streams, type HostArray } from '@flow-matching/tensor';

const logArea = Math.log(32);

/**
 * The paper's two-dimensional checkerboard: uniform on the 8 squares of side 2 of [−4, 4]² whose column and row, counted from
 * the lower left, have an even sum. Its entropy is ln 32 nats.
 *
 * Every batch has new points: point n of a stream is a function of (seed, split, n) only, so batches of any size divide one
 * sequence.
 */
export const checkerboard = defineDataset({
  name: 'checkerboard',
  summary: 'Uniform on every other square of side 2 of [−4, 4]²',
  create: (): Dataset => ({
    name: 'checkerboard',
    shape: [2],
    density: { entropy: logArea, logDensity },
    batch: (request) => ({ x1: drawPoints(request) }),
  }),
});

/** Two points per Philox block: a point needs 24 bits per coordinate. */
function drawPoints({ index, size, seed, split = 'train' }: BatchRequest): HostArray {
  const [key0, key1] = seedKey(seed);
  const stream = split === 'test' ? streams.test : streams.data;
  const data = new Float32Array(2 * size);
  const words = new Uint32Array(4);
  const first = index * size;
  for (let n = first - (first % 2); n < first + size; n += 2) {
    const block = n / 2;
    philox(key0, key1, block >>> 0, Math.floor(block / 2 ** 32), 0, stream, words);
    for (let half = 0; half < 2; half++) {
      const at = 2 * (n + half - first);
      if (at < 0 || at >= data.length) continue;
      const x = unit(words[2 * half]) * 4;
      const y = unit(words[2 * half + 1]) * 2;
      const row = 2 * Math.floor(y) + (Math.floor(x) % 2);
      data[at] = 2 * x - 4;
      data[at + 1] = 2 * (row + (y % 1)) - 4;
    }
  }
  return hostArray(data, [size, 2]);
}

/** A fraction on the 2⁻²⁴ grid, so that rounding moves no coordinate across the edge of its square. */
const unit = (word: number): number => (word >>> 8) * 2 ** -24;

function logDensity({ data, shape: [count] }: HostArray): Float64Array {
  return Float64Array.from({ length: count }, (_, n) =>
    inSupport(data[2 * n], data[2 * n + 1]) ? -logArea : -Infinity,
  );
}

function inSupport(x: number, y: number): boolean {
  if (!(x >= -4 && x < 4 && y >= -4 && y < 4)) return false;
  return (Math.floor(x / 2) + Math.floor(y / 2)) % 2 === 0;
}
