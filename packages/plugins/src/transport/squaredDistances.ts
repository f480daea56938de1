import { NumericalError, type HostArray } from '@flow-matching/core';
import type { CostRows } from './linearAssignment.ts';

/** Above this many points costs are computed anew each time they are read: the matrix would take more than 256 MiB. */
const largestMatrix = 4096;

/**
 * Squared Euclidean distances from each point of `from` (a row) to each of `to` (a column), both [count, ...event].
 *
 * @throws NumericalError naming the first point that is not finite.
 */
export function squaredDistances(from: HostArray, to: HostArray): CostRows {
  const size = from.shape[0];
  checkPoints(from, 'source');
  checkPoints(to, 'data');
  const fill = rowFiller(from, to);
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
  const matrix = new Float64Array(size * size);
  const rows = Array.from({ length: size }, (_, i) => matrix.subarray(i * size, (i + 1) * size));
  rows.forEach((row, i) => fill(i, row));
  return { size, row: (index) => rows[index] };
}

function checkPoints({ data, shape }: HostArray, what: string): void {
  const broken = data.findIndex((value) => !Number.isFinite(value));
  if (broken < 0) return;
  const point = Math.floor(broken / (data.length / shape[0]));
  throw new NumericalError(`The ${what} point ${point} of a batch to be paired holds ${data[broken]}.`, {
    actual: data[broken],
    expected: 'finite points',
  });
}

/** Writes one row of distances. Dimensions are the outer loop over columns of coordinates, so that each pass reads memory in order. */
function rowFiller(from: HostArray, to: HostArray): (index: number, row: Float64Array) => void {
  const size = to.shape[0];
  const dimension = to.data.length / size;
  const columns = Array.from({ length: dimension }, (_, d) =>
    Float64Array.from({ length: size }, (__, j) => to.data[j * dimension + d]),
  );
  return (index, row) => {
    row.fill(0);
    for (let d = 0; d < dimension; d++) {
      const [column, x] = [columns[d], from.data[index * dimension + d]];
      for (let j = 0; j < size; j++) {
        const difference = x - column[j];
        row[j] += difference * difference;
      }
    }
  };
}
