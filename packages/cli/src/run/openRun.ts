import { oneLine } from '@flow-matching/tensor';
import { PluginRegistry, type Dataset } from '@flow-matching/core';
import type { CommandContext } from '../commands/cliCommand.ts';
import type { RunOptions } from '../commands/runOptions.ts';
import { CheckpointError, UsageError } from '../errors.ts';
import {
  assembleFlow,
  loadExperiment,
  type AssembledFlow,
  type LoadedExperiment,
} from '../experiment/assembleExperiment.ts';
import type { Setting } from '../experiment/experimentSource.ts';
import { latestCheckpoint } from './latestCheckpoint.ts';
import { loadParameters } from './loadParameters.ts';
import { RunDirectory } from './runDirectory.ts';
import { checkExperimentRecord, checkFileRecords } from './runRecord.ts';

/** A trained flow from a run directory. */
export interface OpenedRun {
  readonly run: RunDirectory;
  readonly assembled: AssembledFlow;
  /** Updates made when the checkpoint was saved. */
  readonly step: number;
  /** The training data, read on first use: sampling may not need it. @throws DataError, RunError. */
  readonly data: () => Promise<Dataset>;
}

/**
 * The flow of a run's last checkpoint, with the moving average of its parameters if there is one.
 *
 * @throws RunError, CheckpointError; UsageError if the run names plugins that are not allowed.
 */
export async function openRun(
  context: CommandContext,
  path: string,
  settings: readonly Setting[],
  options: RunOptions,
): Promise<OpenedRun> {
  return openLoaded(context, await loadRun(context, path, settings, options), options);
}

/** A run whose experiment was loaded, and found to be what its training recorded. */
export interface LoadedRun {
  readonly run: RunDirectory;
  readonly loaded: LoadedExperiment;
}

/** As {@link openRun}, of a run that was loaded before. @throws CheckpointError. */
export async function openLoaded(
  context: CommandContext,
  { run, loaded }: LoadedRun,
  options: RunOptions,
): Promise<OpenedRun> {
  const { checkpoint } = await latestCheckpoint(run, {
    output: context.output,
    hash: loaded.environment.hash,
    strict: options.strict,
  });
  if (!checkpoint) throw noCheckpoint(run);
  const assembled = await assembleFlow(loaded);
  loadParameters(assembled, checkpoint, run.checkpoints.path(checkpoint.state.step));
  let data: Promise<Dataset> | undefined;
  return {
    run,
    assembled,
    step: checkpoint.state.step,
    data: () => (data ??= dataOfRun(context, run, loaded, options)),
  };
}

/** A run's experiment, as recorded by its training. @throws RunError, ExperimentError; UsageError if it names plugins that are not allowed. */
export async function loadRun(
  { root, output }: CommandContext,
  path: string,
  settings: readonly Setting[],
  { force, allowPlugins = false }: RunOptions,
): Promise<LoadedRun> {
  const run = RunDirectory.existing(path);
  await checkExperimentRecord(run, { output, force });
  const loaded = await loadExperiment(root, run.experimentFile, settings, (plugins) => {
    if (!allowPlugins && plugins.length > 0)
      throw new UsageError(`${path} names plugins, which are code that would run as yours: ${plugins.join(', ')}.`, {
        actual: plugins,
        expected: 'a run without plugins, or permission to load them',
        remedy: 'Add --allow-plugins if you trust them.',
      });
  });
  return { run, loaded };
}

/** The data that a run was trained on. @throws DataError; RunError if a file has changed since. */
export async function dataOfRun(
  { output }: CommandContext,
  run: RunDirectory,
  { experiment, container, environment, files }: LoadedExperiment,
  { force }: RunOptions,
): Promise<Dataset> {
  const data: Dataset = await new PluginRegistry(container).build('dataset', experiment.data);
  checkFileRecords(run, environment.files, files, { output, force });
  return data;
}

export const noCheckpoint = (run: RunDirectory): CheckpointError =>
  new CheckpointError(`${oneLine(run.path)} has no checkpoint yet.`, {
    actual: run.path,
    expected: 'a run that has reached its first checkpoint',
    remedy: `Continue training: ${run.resumeCommand}`,
  });
