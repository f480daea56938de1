import { oneLine } from '@flow-matching/tensor';
import { existsSync, statSync } from 'node:fs';
import { UsageError } from '../errors.ts';
import { assembleExperiment, loadExperiment } from '../experiment/assembleExperiment.ts';
import { parseSetting } from '../experiment/parseSetting.ts';
import { RunDirectory } from '../run/runDirectory.ts';
import { trainRun } from '../run/trainRun.ts';
import type { CommandContext } from './cliCommand.ts';
import type { RunOptions } from './runOptions.ts';

interface TrainOptions extends Pick<RunOptions, 'strict' | 'force'> {
  readonly set?: readonly string[];
  readonly backend?: string;
  readonly run?: string;
  readonly resume?: boolean;
  readonly report: boolean;
}

export async function train(
  context: CommandContext,
  [experiment]: [experiment: string],
  { set = [], backend, run: directory, resume = false, strict, force, report }: TrainOptions,
): Promise<void> {
  const settings = [
    ...(backend === undefined ? [] : [{ path: ['backend'], value: { name: backend }, label: `--backend ${backend}` }]),
    ...set.map(parseSetting),
  ];
  const given = isDirectory(experiment) ? RunDirectory.existing(experiment) : undefined;
  if (given && !resume) {
    throw new UsageError(`${oneLine(experiment)} is a run directory.`, {
      actual: experiment,
      expected: 'an experiment file',
      remedy: 'Add --resume to continue that run.',
    });
  }
  if (given && directory !== undefined)
    throw new UsageError(`--run ${oneLine(directory)} and the run directory ${oneLine(experiment)} are two runs.`, {
      expected: 'one run',
      remedy: 'Leave out --run.',
    });
  const loaded = await loadExperiment(context.root, given?.experimentFile ?? experiment, settings);
  // Data is read and parts are checked before a directory is made, so that a bad experiment leaves no directory behind.
  await using assembled = await assembleExperiment(loaded);
  await assembled.flow.checkTraining(assembled.data, assembled.training);
  if (report) await assembled.flow.checkSampling(assembled.data.shape);
  for (const warning of assembled.data.warnings ?? []) context.output.warn(warning);
  const { name } = loaded.experiment;
  const run =
    given ??
    (directory !== undefined
      ? new RunDirectory(directory)
      : ((resume ? await RunDirectory.newest(name) : undefined) ?? (await RunDirectory.numbered(name))));
  if (directory !== undefined && !resume) await run.create();
  await trainRun({ context, loaded, assembled, run, resume, strict, force, report });
}

const isDirectory = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();
