/** Means of the columns of row-major rows, with their standard errors. */
export function meanAndError(data: ArrayLike<number>, columns: number): { means: Float64Array; errors: Float64Array } {
  const rows = data.length / columns;
  const means = new Float64Array(columns);
  for (let i = 0; i < data.length; i++) means[i % columns] += data[i] / rows;
  const squares = new Float64Array(columns);
  for (let i = 0; i < data.length; i++) squares[i % columns] += (data[i] - means[i % columns]) ** 2;
  return { means, errors: squares.map((sum) => Math.sqrt(sum / (rows * (rows - 1)))) };
}

/** Means of two-dimensional rows, their variances and covariance, with standard errors: five numbers. */
export function sampleMoments(data: ArrayLike<number>): { means: Float64Array; errors: Float64Array } {
  const [first, second] = meanAndError(data, 2).means;
  const terms = Float64Array.from({ length: (data.length / 2) * 5 }, (_, i) => {
    const row = Math.floor(i / 5);
    const [x, y] = [data[2 * row], data[2 * row + 1]];
    return [x, y, (x - first) ** 2, (y - second) ** 2, (x - first) * (y - second)][i % 5];
  });
  return meanAndError(terms, 5);
}
