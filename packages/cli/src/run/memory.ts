import {
  measureModel,
  ModelSizeError,
  type ModelContext,
  type Optimizer,
  type VectorFieldModel,
} from '@flow-matching/core';
import { flattenTree, sizeOf, type HostArray, type Shape, MemoryError } from '@flow-matching/tensor';
import { totalmem } from 'node:os';

const bytesPerNumber = 4;

export interface TrainingSize {
  readonly model: VectorFieldModel;
  /** The shapes of the data. */
  readonly context: ModelContext;
  readonly optimizer: Optimizer;
  readonly batchSize: number;
  /** Whether a moving average of the parameters is kept. */
  readonly ema: boolean;
}

/**
 * Minimum memory of a training in bytes: parameters, their gradient, the optimizer's state, their moving average and a copy on
 * the host; for each point of a batch the noise, the data, the point between them and its velocity, and its product with each
 * weight matrix [in, out].
 *
 * @throws MemoryError, before anything is allocated, if that is more than `limit` bytes.
 */
export function checkTrainingMemory(
  { model, context, optimizer, batchSize, ema }: TrainingSize,
  limit: number = availableMemory(),
): number {
  const slots = Object.values(optimizer.init({ shape: [1], dtype: 'f32' })).filter(
    ({ shape }) => shape.length > 0,
  ).length;
  const copies = 3 + slots + (ema ? 1 : 0);
  const bytesPerParameter = copies * bytesPerNumber;
  const batch = batchSize * 4 * sizeOf(context.shape) * bytesPerNumber;
  const remedy = 'Lower model.width, model.depth or training.batchSize.';
  checkMemory('a training step', batch, { limit, remedy: 'Lower training.batchSize.' });
  const { parameters, size } = measured(model, context, limit / bytesPerParameter, (count, cause) =>
    memoryError('the parameters of the model', count * bytesPerParameter, { limit, remedy, cause }),
  );
  const activations = flattenTree<HostArray>(parameters)
    .filter(([, { shape }]) => shape.length > 1)
    .reduce((sum, [, { shape }]) => sum + shape.at(-1)!, 0);
  const bytes = size * bytesPerParameter + batch + batchSize * activations * bytesPerNumber;
  checkMemory('a training step', bytes, { limit, remedy });
  return bytes;
}

/** {@link measureModel}, with a MemoryError for too many parameters. */
function measured(
  model: VectorFieldModel,
  context: ModelContext,
  limit: number,
  refusal: (count: number, cause: unknown) => MemoryError,
): ReturnType<typeof measureModel> {
  try {
    return measureModel(model, context, limit);
  } catch (cause) {
    throw cause instanceof ModelSizeError ? refusal(cause.parameters, cause) : cause;
  }
}

export interface SamplesSize {
  readonly count: number;
  /** Of one sample. */
  readonly shape: Shape;
  /** Points kept of each trajectory. */
  readonly trajectory?: number | undefined;
}

/**
 * Minimum memory of samples in bytes: they and their trajectories are held twice, as batches and joined.
 *
 * @throws MemoryError if that is more than `limit` bytes.
 */
export function checkSamplesMemory(
  { count, shape, trajectory = 0 }: SamplesSize,
  limit: number = availableMemory(),
): number {
  const bytes = 2 * count * sizeOf(shape) * (1 + trajectory) * bytesPerNumber + 8 * trajectory;
  const remedy = trajectory > 0 ? 'Lower --count or --trajectory.' : 'Lower --count.';
  checkMemory(trajectory > 0 ? 'the samples and their trajectories' : 'the samples', bytes, { limit, remedy });
  return bytes;
}

/** The machine's memory in bytes, or the limit set by a container. */
function availableMemory(): number {
  // 0 if no limit is known.
  return Math.min(totalmem(), process.constrainedMemory() || Infinity);
}

interface Refusal {
  readonly limit: number;
  readonly remedy: string;
  readonly cause?: unknown;
}

function checkMemory(what: string, bytes: number, refusal: Refusal): void {
  if (!(bytes <= refusal.limit)) throw memoryError(what, bytes, refusal);
}

const memoryError = (what: string, bytes: number, { limit, remedy, cause }: Refusal): MemoryError =>
  new MemoryError(`Memory for ${what}: at least ${inGiB(bytes)} are needed, and there are ${inGiB(limit)}.`, {
    actual: bytes,
    expected: `at most ${inGiB(limit)}`,
    remedy,
    cause,
  });

const inGiB = (bytes: number): string => `${Number((bytes / 2 ** 30).toPrecision(3))} GiB`;
