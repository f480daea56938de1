import {
  checkBatch,
  requireFinished,
  type Batch,
  type EstimateRequest,
  type SampleOptions,
  type Samples,
} from '@flow-matching/core';
import { checkArrayLength, checkPositiveInteger, OptionError, sizeOf } from '@flow-matching/tensor';

/**
 * Points that training has not seen, as many as the estimate needs; `index` distinguishes several such batches.
 *
 * @throws OptionError if fewer are held out: counting a point twice would make errors too small.
 */
export async function heldOut({ data, count, seed }: EstimateRequest, index = 0): Promise<Batch> {
  checkPositiveInteger('count', count);
  const { testSize = Infinity, name } = data;
  if ((index + 1) * count > testSize) {
    throw new OptionError(
      `An estimate asks for ${(index + 1) * count} points of the data set '${name}' that training never sees.`,
      {
        actual: count,
        expected: `no more than the ${testSize} that are held out`,
        remedy: `Set the count to ${Math.floor(testSize / (index + 1))}, or hold out more points.`,
      },
    );
  }
  checkArrayLength('The held-out points', count * sizeOf(data.shape));
  const batch = await data.batch({ index, size: count, seed, split: 'test' });
  checkBatch(batch, data, count);
  return batch;
}

/**
 * Samples of a flow. The source points of a two-sided path and the conditions come from held-out points.
 *
 * @throws SolverError if a solve does not reach its end.
 */
export async function drawSamples(
  request: EstimateRequest,
  options: Pick<SampleOptions, 'trajectory'> & { readonly solver?: SampleOptions['solver'] } = {},
): Promise<Samples> {
  const { flow, count, seed, signal, onProgress } = request;
  const twoSided = flow.path.sides === 'two';
  const needsBatch = twoSided || flow.context.condition !== undefined;
  const { x0, condition }: Partial<Batch> = needsBatch ? await heldOut(request) : {};
  const drawn = await flow.sample(count, {
    ...options,
    seed,
    signal,
    onProgress,
    condition,
    ...(twoSided && { source: x0 }),
  });
  requireFinished(drawn);
  return drawn;
}
