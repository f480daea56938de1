import { compareRuns } from '../compare/compareRuns.ts';
import { Interrupts } from '../terminal/interrupts.ts';
import type { CommandContext } from './cliCommand.ts';

interface CompareOptions {
  readonly count: number;
  readonly seed?: number;
  readonly out: string;
}

export async function compare(
  context: CommandContext,
  [paths]: [runs: string[]],
  { count, seed, out }: CompareOptions,
): Promise<void> {
  using interrupts = new Interrupts(context.output, 'Stopping.');
  await compareRuns(context, { paths, count, seed, directory: out, signal: interrupts.signal });
}
