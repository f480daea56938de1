import { NumericalError } from '@flow-matching/core';
import { type HostArray } from '@flow-matching/tensor';
import type { CostRows } from './costRows.ts';

/** Above this many points, rows are computed on every read: the matrix would take more than 128 MiB. */
const largestMatrix = 4096;

/**
 * Squared Euclidean distances from each point of `from` (a row) to each of `to` (a column), both [count, ...event].
 *
 * @throws NumericalError naming the first point that is not finite.
 */
export function squaredDistances(from: HostArray, to: HostArray): CostRows {
  const size = from.shape[0];
  const fill = rowFiller(coordinates(from), coordinates(to), size);
  if (size > largestMatrix) {
    const buffer = new Float64Array(size);
    return {
      size,
      row(index) {
        fill(index, buffer);
        return buffer;
      },
    };
  }
  return denseCosts(size, fill);
}

/** A cost matrix in memory. A row is filled when it is first read, so that stepwise reading fills it stepwise. */
export function denseCosts(size: number, fill: (index: number, row: Float64Array) => void): CostRows {
  const matrix = new Float64Array(size * size);
  const rows = Array.from({ length: size }, (_, i) => matrix.subarray(i * size, (i + 1) * size));
  const filled = new Uint8Array(size);
  return {
    size,
    row(index) {
      const row = rows[index];
      if (filled[index] === 0) {
        filled[index] = 1;
        fill(index, row);
      }
      return row;
    },
  };
}

function coordinates({ data, shape }: HostArray): Float64Array {
  const broken = data.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) {
    const point = Math.floor(broken / (data.length / shape[0]));
    throw new NumericalError(`Point ${point} of those to be paired holds ${data[broken]}.`, {
      actual: data[broken],
      expected: 'finite points',
    });
  }
  return Float64Array.from(data);
}

function rowFiller(from: Float64Array, to: Float64Array, size: number): (index: number, row: Float64Array) => void {
  const dimension = to.length / size;
  if (dimension === 2) return planeFiller(from, to, size);
  return (index, row) => {
    const x = from.subarray(index * dimension, (index + 1) * dimension);
    let j = 0;
    // Four sums at once keep the processor's pipeline full.
    for (; j + 3 < size; j += 4) {
      const [p, q, r, s] = [j * dimension, (j + 1) * dimension, (j + 2) * dimension, (j + 3) * dimension];
      let [a, b, c, d] = [0, 0, 0, 0];
      for (let k = 0; k < dimension; k++) {
        const value = x[k];
        a += (value - to[p + k]) * (value - to[p + k]);
        b += (value - to[q + k]) * (value - to[q + k]);
        c += (value - to[r + k]) * (value - to[r + k]);
        d += (value - to[s + k]) * (value - to[s + k]);
      }
      row[j] = a;
      row[j + 1] = b;
      row[j + 2] = c;
      row[j + 3] = d;
    }
    for (; j < size; j++) {
      let sum = 0;
      for (let k = 0; k < dimension; k++) sum += (x[k] - to[j * dimension + k]) ** 2;
      row[j] = sum;
    }
  };
}

function planeFiller(from: Float64Array, to: Float64Array, size: number): (index: number, row: Float64Array) => void {
  return (index, row) => {
    const [x, y] = [from[2 * index], from[2 * index + 1]];
    for (let j = 0; j < size; j++) {
      const [dx, dy] = [x - to[2 * j], y - to[2 * j + 1]];
      row[j] = dx * dx + dy * dy;
    }
  };
}
