import { CheckpointError } from '../errors.ts';
import { assembleExperiment, loadExperiment, type AssembledExperiment } from '../experiment/assembleExperiment.ts';
import type { Setting } from '../experiment/experimentSource.ts';
import type { CommandContext } from '../commands/cliCommand.ts';
import { loadParameters } from './loadParameters.ts';
import { RunDirectory } from './runDirectory.ts';

/** A trained flow from a run directory. */
export interface OpenedRun {
  readonly run: RunDirectory;
  readonly assembled: AssembledExperiment;
  /** Updates made when the checkpoint was saved. */
  readonly step: number;
}

/** The flow of a run's last checkpoint: the moving average of its parameters where there is one. @throws RunError, CheckpointError. */
export async function openRun(
  { root }: CommandContext,
  path: string,
  settings: readonly Setting[],
): Promise<OpenedRun> {
  const run = RunDirectory.existing(path);
  const loaded = await loadExperiment(root, run.experimentFile, settings);
  const checkpoint = await run.checkpoints.latest();
  if (!checkpoint) {
    throw new CheckpointError(`${path} has no checkpoint yet.`, {
      actual: path,
      expected: 'a run that has reached its first checkpoint',
      remedy: `Go on training: ${run.resumeCommand}`,
    });
  }
  const assembled = await assembleExperiment(loaded);
  loadParameters(assembled, checkpoint, run.checkpoints.path(checkpoint.state.step));
  return { run, assembled, step: checkpoint.state.step };
}
