/** Sample statistics, in f64. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** Unbiased; 0 for a single value. */
export function variance(values: ArrayLike<number>): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] - centre) ** 2;
  return sum / (values.length - 1);
}

/** The mean and, for more than one value, its standard error. */
export const meanWithError = (values: ArrayLike<number>): { value: number; standardError?: number } => ({
  value: mean(values),
  ...(values.length > 1 && { standardError: Math.sqrt(variance(values) / values.length) }),
});

/** The root of a mean square with its standard error by the delta method; no error if the square is 0. */
export const rootWithError = (square: number, standardError: number): { value: number; standardError?: number } => {
  const value = Math.sqrt(Math.max(0, square));
  return { value, ...(value > 0 && { standardError: standardError / (2 * value) }) };
};
