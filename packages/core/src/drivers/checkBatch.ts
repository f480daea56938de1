import type { Batch, Dataset } from '../contracts/dataset.ts';
import { checkHostArray } from '@flow-matching/tensor';

/**
 * Checks a batch of a dataset: shapes, dtypes and, by default, that its floats are finite.
 *
 * @param size number of points requested
 * @throws as {@link checkHostArray} does, naming the dataset.
 */
export function checkBatch(
  { x1, x0, condition }: Batch,
  { name, shape }: Pick<Dataset, 'name' | 'shape'>,
  size: number,
  { nonFinite = false }: { readonly nonFinite?: boolean } = {},
): void {
  const of = (part: string): string => `${part} of the data set '${name}'`;
  const points = { shape: [size, ...shape], dtype: 'f32', nonFinite } as const;
  checkHostArray(of('x1'), x1, points);
  if (x0) checkHostArray(of('x0'), x0, points);
  for (const [key, array] of Object.entries(condition ?? {})) {
    checkHostArray(of(`condition.${key}`), array, { nonFinite });
    checkHostArray(of(`condition.${key}`), array, { shape: [size, ...array.shape.slice(1)], nonFinite: true });
  }
}
