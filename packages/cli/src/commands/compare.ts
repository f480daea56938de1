import { compareRuns } from '../compare/compareRuns.ts';
import { Interrupts } from '../terminal/interrupts.ts';
import type { CommandContext } from './cliCommand.ts';
import type { RunOptions } from './runOptions.ts';

interface CompareOptions extends RunOptions {
  readonly count: number;
  readonly seed?: number;
  readonly out: string;
}

export async function compare(
  context: CommandContext,
  [paths]: [runs: string[]],
  { count, seed, out, ...options }: CompareOptions,
): Promise<void> {
  using interrupts = new Interrupts(context.output, 'Stopping.');
  await compareRuns(context, { paths, count, seed, directory: out, options, signal: interrupts.signal });
}
