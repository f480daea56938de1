import { defineDataset, type Dataset } from '@flow-matching/core';
import { DataError, formatShape, sameShape } from '@flow-matching/tensor';
import * as z from 'zod';

const isDataset = (value: unknown): value is Dataset | Promise<Dataset> =>
  value instanceof Promise || typeof (value as Partial<Dataset> | undefined)?.batch === 'function';
const dataset = z.custom<Dataset | Promise<Dataset>>(isDataset, 'a data set was expected');

/**
 * Points of `target` with source points of `source`, drawn independently, for two-sided paths: 8gaussians → moons. Conditions,
 * density and size are those of the target; as many points are held out as in both. The source's conditions are not used.
 *
 * @throws DataError if the points differ in shape.
 */
export const pair = defineDataset({
  name: 'pair',
  summary: 'Source and target points of two data sets, for two-sided paths',
  options: z.strictObject({
    source: dataset.describe('Data set of the points that the path starts from'),
    target: dataset.describe('Data set of the points to learn'),
  }),
  nested: { source: 'dataset', target: 'dataset' },
  create: ({ source, target }): Dataset | Promise<Dataset> =>
    source instanceof Promise || target instanceof Promise
      ? Promise.all([source, target]).then(([from, to]) => joined(from, to))
      : joined(source, target),
});

function joined(source: Dataset, target: Dataset): Dataset {
  if (!sameShape(source.shape, target.shape)) {
    throw new DataError(
      `Points of '${source.name}' are ${formatShape(source.shape)}, those of '${target.name}' ${formatShape(target.shape)}.`,
      { actual: [source.shape, target.shape], expected: 'points of one shape' },
    );
  }
  const testSize = Math.min(source.testSize ?? Infinity, target.testSize ?? Infinity);
  return {
    name: 'pair',
    shape: target.shape,
    ...(target.size !== undefined && { size: target.size }),
    ...(Number.isFinite(testSize) && { testSize }),
    ...(target.density && { density: target.density }),
    warnings: [...(source.warnings ?? []), ...(target.warnings ?? [])],
    async batch(request) {
      const { x1, condition } = await target.batch(request);
      const { x1: x0 } = await source.batch({ ...request, seed: otherSeed(request.seed) });
      return { x0, x1, ...(condition && { condition }) };
    },
  };
}

/** A different seed for each: a source equal to the target must not draw the target's points. */
const otherSeed = (seed: number): number => (seed < 2 ** 52 ? seed + 2 ** 52 : seed - 2 ** 52);
