import { requireFinished, type Batch, type Dataset, type Flow, type Samples, type Solver } from '@flow-matching/core';
import { OptionError, type HostArray } from '@flow-matching/tensor';

export interface DrawOptions {
  readonly seed: number;
  readonly trajectory?: number | undefined;
  /** Used instead of the flow's own. */
  readonly solver?: Solver | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Samples of a trained flow. The source points of a two-sided path and the conditions are taken from points that training has
 * not seen.
 *
 * @throws SolverError if a solve does not reach its end.
 */
export async function drawSamples(
  { flow, data }: { readonly flow: Flow; readonly data: Dataset | (() => Promise<Dataset>) },
  count: number,
  { seed, ...options }: DrawOptions,
): Promise<Samples> {
  const needsBatch = flow.path.sides === 'two' || flow.context.condition !== undefined;
  const { x0, condition }: Partial<Batch> = needsBatch
    ? await heldOutBatch(typeof data === 'function' ? await data() : data, count, seed)
    : {};
  const drawn = await flow.sample(count, {
    ...options,
    seed,
    ...(flow.path.sides === 'two' && { source: x0 }),
    condition,
  });
  requireFinished(drawn);
  return drawn;
}

/** Points that training never sees; training points if none are held out. */
export async function heldOutBatch(
  data: Dataset,
  size: number,
  seed: number,
): Promise<Batch & { readonly heldOut: boolean }> {
  try {
    return { ...(await data.batch({ index: 0, size, seed, split: 'test' })), heldOut: true };
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    return { ...(await data.batch({ index: 0, size, seed, split: 'train' })), heldOut: false };
  }
}

/** At most `limit` points that training never sees, without repetition; training points if none are held out. */
export async function distinctPoints(
  data: Dataset,
  limit: number,
  seed: number,
): Promise<{ readonly points: HostArray; readonly heldOut: boolean }> {
  const { heldOut } = await heldOutBatch(data, 1, seed);
  const available = (heldOut ? data.testSize : data.size) ?? limit;
  const { x1 } = await heldOutBatch(data, Math.min(limit, available), seed);
  return { points: x1, heldOut };
}

/** A default number of points: at most as many as are held out. */
export const atMostHeldOut = (count: number, { testSize = count }: Dataset): number => Math.min(count, testSize);
