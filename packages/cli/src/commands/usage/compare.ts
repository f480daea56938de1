import type { CliCommand } from '../cliCommand.ts';
import { withPluginOption, withRunOptions } from '../runOptions.ts';
import { parseCount, parseSeed } from '../solverSettings.ts';

export const compare: CliCommand = {
  name: 'compare',
  configure: (command) =>
    withPluginOption(
      withRunOptions(
        command
          .summary('compare trained flows: scores, cost of sampling, trajectories')
          .description(
            'Scores runs of the same data by dopri5 at tolerance 1e-5, prints a table, and draws the cost and the trajectories of their samples.',
          )
          .argument('<run...>', 'run directories')
          .option('--count <n>', 'number of held-out points and samples', parseCount, 10_000)
          .option('--seed <s>', "seed of noise and points (default: the first run's)", parseSeed)
          .option('--out <directory>', 'where compare.html, figures and numbers go', 'comparison'),
      ),
    ).addHelpText('after', '\nExample:\n  flow-matching compare runs/fm-ot-1 runs/fm-vp-1 --out comparison'),
  load: async () => (await import('../compare.ts')).compare,
};
