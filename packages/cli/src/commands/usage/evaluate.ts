import type { CliCommand } from '../cliCommand.ts';
import { withPluginOption, withRunOptions } from '../runOptions.ts';
import { parseCount, parseSeed, withSolverOptions } from '../solverSettings.ts';

/** Default number of points to score. */
export const defaultCount = 10_000;

export const evaluate: CliCommand = {
  name: 'evaluate',
  configure: (command) =>
    withPluginOption(
      withRunOptions(
        withSolverOptions(
          command
            .summary('score a trained flow')
            .description('Measures metrics of the last checkpoint of a run.')
            .argument('<run>', 'run directory')
            .option(
              '--metric <name...>',
              "what to measure (see 'flow-matching plugins --kind estimator'; default: nll function-evaluations)",
            )
            .option(
              '--count <n>',
              `number of held-out points or samples (default: ${defaultCount} or as many as are held out, or all points of --data)`,
              parseCount,
            )
            .option('--data <file>', 'score these points, a .npy or .csv file, instead of held-out ones')
            .option('--divergence <how>', 'exact or hutchinson'),
        ),
      ),
    )
      .option('--seed <s>', "seed of points, samples and probes (default: the experiment's)", parseSeed)
      .addHelpText(
        'after',
        '\nExample:\n  flow-matching evaluate runs/checkerboard-1 --metric nll in-support --count 20000',
      ),
  load: async () => (await import('../evaluate.ts')).evaluate,
};
