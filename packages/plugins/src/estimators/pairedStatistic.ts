import type { HostArray, Stepwise } from '@flow-matching/tensor';

/**
 * The U-statistic of order two with kernel h(i, j) = k(aᵢ, bⱼ) + k(aⱼ, bᵢ) − k(aᵢ, aⱼ) − k(bᵢ, bⱼ), unbiased for 2·E k(a, b) −
 * E k(a, a′) − E k(b, b′): the energy distance for k the distance, minus MMD² for k a kernel of similarity. Its standard error
 * follows from Hoeffding's decomposition, including the part of order 1/count², which is the only one if the distributions
 * agree.
 *
 * Pauses after each row of pairs: there are count²/2 pairs.
 *
 * @param kernel of the squared distance of two points
 * @param a, b each [count, ...event], at least 2 points.
 */
export function* pairedStatistic(
  a: HostArray,
  b: HostArray,
  kernel: (squaredDistance: number) => number,
): Stepwise<{ value: number; standardError: number }> {
  const count = a.shape[0];
  const dimension = a.data.length / count;
  const [x, y] = [Float64Array.from(a.data), Float64Array.from(b.data)];
  const sums = new Float64Array(count);
  let squares = 0;
  const addRow = (i: number): void => {
    for (let j = 0; j < i; j++) {
      const h =
        kernel(squaredDistance(x, i, y, j, dimension)) +
        kernel(squaredDistance(x, j, y, i, dimension)) -
        kernel(squaredDistance(x, i, x, j, dimension)) -
        kernel(squaredDistance(y, i, y, j, dimension));
      sums[i] += h;
      sums[j] += h;
      squares += 2 * h * h;
    }
  };
  for (let i = 0; i < count; i++) {
    addRow(i);
    yield;
  }
  const pairs = count * (count - 1);
  const value = sums.reduce((sum, each) => sum + each, 0) / pairs;
  const second = squares / pairs - value ** 2;
  const ofMeans = sums.reduce((sum, each) => sum + (each / (count - 1) - value) ** 2, 0) / (count - 1);
  // A mean over count − 1 values includes a part of their own variance.
  const first = Math.max(0, ofMeans - second / (count - 1));
  return { value, standardError: Math.sqrt((4 * (count - 2) * first + 2 * second) / pairs) };
}

function squaredDistance(x: Float64Array, i: number, y: Float64Array, j: number, dimension: number): number {
  let sum = 0;
  for (let d = 0; d < dimension; d++) {
    const difference = x[i * dimension + d] - y[j * dimension + d];
    sum += difference * difference;
  }
  return sum;
}
