import { compareRuns } from '../compare/compareRuns.ts';
import { Interrupts } from '../terminal/interrupts.ts';
import type { CliCommand, CommandContext } from './cliCommand.ts';
import { parseCount, parseSeed } from './solverSettings.ts';

interface CompareOptions {
  readonly count: number;
  readonly seed?: number;
  readonly out: string;
}

export const compare: CliCommand<[runs: string[]], CompareOptions> = {
  name: 'compare',
  configure: (command) =>
    command
      .summary('compare trained flows: scores, cost of sampling, trajectories')
      .description(
        'Scores runs of the same data by dopri5 at tolerance 1e-5, prints a table, and draws the cost and the trajectories of their samples.',
      )
      .argument('<run...>', 'run directories')
      .option('--count <n>', 'number of held-out points and samples', parseCount, 10_000)
      .option('--seed <s>', "seed of noise and points (default: the first run's)", parseSeed)
      .option('--out <directory>', 'where compare.html, figures and numbers go', 'comparison')
      .addHelpText('after', '\nExample:\n  flow-matching compare runs/fm-ot-1 runs/fm-vp-1 --out comparison'),
  run: runCompare,
};

async function runCompare(
  context: CommandContext,
  [paths]: [runs: string[]],
  { count, seed, out }: CompareOptions,
): Promise<void> {
  using interrupts = new Interrupts(context.output, 'Stopping.');
  await compareRuns(context, { paths, count, seed, directory: out, signal: interrupts.signal });
}
