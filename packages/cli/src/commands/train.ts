import { existsSync, statSync } from 'node:fs';
import { UsageError } from '../errors.ts';
import { assembleExperiment, loadExperiment } from '../experiment/assembleExperiment.ts';
import { parseSetting } from '../experiment/parseSetting.ts';
import { RunDirectory } from '../run/runDirectory.ts';
import { trainRun } from '../run/trainRun.ts';
import type { CliCommand, CommandContext } from './cliCommand.ts';

interface TrainOptions {
  readonly set?: readonly string[];
  readonly backend?: string;
  readonly run?: string;
  readonly resume?: boolean;
  readonly report: boolean;
}

export const train: CliCommand<[experiment: string], TrainOptions> = {
  name: 'train',
  configure: (command) =>
    command
      .summary('train a flow, then sample and score it')
      .description(
        'Trains the flow that an experiment file describes, saves checkpoints on the way, then samples and scores it and writes a report.',
      )
      .argument('<experiment>', 'experiment file (YAML, JSON or a module); with --resume also a run directory')
      .option('--set <key=value...>', 'override settings, as in --set model.width=128 training.steps=500')
      .option('--backend <name>', 'run on this backend')
      .option('--run <directory>', 'where the run is kept (default: runs/NAME-1, -2, …)')
      .option('--resume', 'go on from the last checkpoint of the run; begins one where there is none')
      .option('--no-report', 'stop after the training, without samples, scores and report')
      .addHelpText(
        'after',
        `
Examples:
  flow-matching train examples/checkerboard.yaml
  flow-matching train examples/checkerboard.yaml --set model.width=128 training.steps=500
  flow-matching train runs/checkerboard-1 --resume`,
      ),
  run: runTrain,
};

async function runTrain(
  context: CommandContext,
  [experiment]: [experiment: string],
  { set = [], backend, run: directory, resume = false, report }: TrainOptions,
): Promise<void> {
  const settings = [
    ...(backend === undefined ? [] : [{ path: ['backend'], value: { name: backend }, label: `--backend ${backend}` }]),
    ...set.map(parseSetting),
  ];
  const given = isDirectory(experiment) ? RunDirectory.existing(experiment) : undefined;
  if (given && !resume) {
    throw new UsageError(`${experiment} is a run directory.`, {
      actual: experiment,
      expected: 'an experiment file',
      remedy: 'Add --resume to go on with that run.',
    });
  }
  if (given && directory !== undefined)
    throw new UsageError(`--run ${directory} and the run directory ${experiment} are two runs.`, {
      expected: 'one run',
      remedy: 'Leave out --run.',
    });
  const loaded = await loadExperiment(context.root, given?.experimentFile ?? experiment, settings);
  // Data is read before a directory is made, so that a bad file leaves none behind.
  await using assembled = await assembleExperiment(loaded);
  const { name } = loaded.experiment;
  const run =
    given ??
    (directory !== undefined
      ? new RunDirectory(directory)
      : ((resume ? await RunDirectory.newest(name) : undefined) ?? (await RunDirectory.numbered(name))));
  if (directory !== undefined && !resume) await run.create();
  await trainRun({ context, loaded, assembled, run, resume, report });
}

const isDirectory = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();
