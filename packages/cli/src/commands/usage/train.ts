import type { CliCommand } from '../cliCommand.ts';
import { withRunOptions } from '../runOptions.ts';

export const train: CliCommand = {
  name: 'train',
  configure: (command) =>
    withRunOptions(
      command
        .summary('train a flow, then sample and score it')
        .description(
          'Trains the flow that an experiment file describes, saves checkpoints on the way, then samples and scores it and writes a report.',
        )
        .argument('<experiment>', 'experiment file (YAML, JSON or a module); with --resume also a run directory')
        .option('--set <key=value...>', 'override settings, as in --set model.width=128 training.steps=500')
        .option('--backend <name>', 'run on this backend')
        .option('--run <directory>', 'where the run is kept (default: runs/NAME-1, -2, …)')
        .option('--resume', 'continue from the last checkpoint of the run, or start it if there is none')
        .option('--no-report', 'stop after the training, without samples, scores and report'),
    ).addHelpText(
      'after',
      `
Examples:
  flow-matching train examples/checkerboard.yaml
  flow-matching train examples/checkerboard.yaml --set model.width=128 training.steps=500
  flow-matching train runs/checkerboard-1 --resume`,
    ),
  load: async () => (await import('../train.ts')).train,
};
