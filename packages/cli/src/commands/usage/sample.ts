import type { CliCommand } from '../cliCommand.ts';
import { withPluginOption, withRunOptions } from '../runOptions.ts';
import { parseCount, parseSeed, withSolverOptions } from '../solverSettings.ts';

export const sample: CliCommand = {
  name: 'sample',
  configure: (command) =>
    withPluginOption(
      withRunOptions(
        withSolverOptions(
          command
            .summary('draw samples from a trained flow')
            .description('Draws samples from the last checkpoint of a run and writes them to a file.')
            .argument('<run>', 'run directory')
            .requiredOption('--count <n>', 'number of samples', parseCount)
            .requiredOption('--out <file>', 'where to write them: a .npy, .csv or .png file'),
        ),
      ),
    )
      .option('--seed <s>', "seed of the noise (default: the experiment's)", parseSeed)
      .option('--trajectory <k>', 'keep k points of each trajectory from noise to sample, ends included', parseCount)
      .addHelpText('after', '\nExample:\n  flow-matching sample runs/checkerboard-1 --count 10000 --out samples.npy'),
  load: async () => (await import('../sample.ts')).sample,
};
