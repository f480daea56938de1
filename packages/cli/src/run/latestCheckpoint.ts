import { oneLine } from '@flow-matching/tensor';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { CheckpointError } from '../errors.ts';
import type { Output } from '../terminal/output.ts';
import type { RunDirectory } from './runDirectory.ts';

/** A checkpoint that could not be read. */
export interface PassedOver {
  readonly event: 'checkpoint passed over';
  readonly checkpoint: number;
  readonly reason: string;
}

export interface LatestCheckpointRequest {
  readonly output: Output;
  /** Hash of the run's experiment; absent, and not compared, in runs from before it was recorded. */
  readonly hash: string | undefined;
  readonly strict: boolean | undefined;
}

/**
 * The last readable checkpoint of a run, if there is one. Warns about skipped ones.
 *
 * @throws CheckpointError if it belongs to another experiment, if none can be read, or if `strict` and the last cannot.
 */
export async function latestCheckpoint(
  run: RunDirectory,
  { output, hash, strict }: LatestCheckpointRequest,
): Promise<{ readonly checkpoint: Checkpoint | undefined; readonly passedOver: readonly PassedOver[] }> {
  const passedOver: PassedOver[] = [];
  const onSkipped = (step: number, { message: reason }: Error): void => {
    output.warn(`Warning: ${run.checkpoints.path(step)} cannot be used; an earlier checkpoint is. ${reason}`);
    passedOver.push({ event: 'checkpoint passed over', checkpoint: step, reason });
  };
  const checkpoint = await run.checkpoints.latest({ strict, onSkipped });
  if (checkpoint && hash !== undefined && checkpoint.experiment !== hash) {
    throw new CheckpointError(`${run.checkpoints.path(checkpoint.state.step)} belongs to another experiment.`, {
      actual: checkpoint.experiment,
      expected: `a checkpoint of ${oneLine(run.experimentFile)}`,
      remedy: 'Remove it.',
    });
  }
  return { checkpoint, passedOver };
}
