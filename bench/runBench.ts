import { writeFileSync } from 'node:fs';
import { UsageError } from './arguments.ts';
import { compare, type Comparison } from './compare.ts';
import type { Subject } from './subject.ts';
import type { Work } from './works.ts';

/** What a bench is given besides its options. */
export interface BenchRun {
  readonly signal: AbortSignal;
  /** Compares in turns, with a line of progress on a terminal. */
  readonly compareInTurns: (work: Work, subjects: readonly Subject[], rounds: number) => Promise<Comparison>;
}

/** Runs a bench as a command: its arguments, Ctrl-C after the running turn, exit statuses. */
export async function runBench<Options>(
  parse: (args: readonly string[]) => Options | 'help',
  usage: string,
  bench: (options: Options, run: BenchRun) => Promise<void>,
): Promise<void> {
  const interrupted = new AbortController();
  process.once('SIGINT', () => {
    console.error('\nStopping after the running turn; once more stops at once.');
    interrupted.abort();
  });
  const { signal } = interrupted;
  const compareInTurns: BenchRun['compareInTurns'] = async (work, subjects, rounds) => {
    const comparison = await compare(work, subjects, { rounds, signal, onProgress: showProgress });
    showProgress('');
    return comparison;
  };
  try {
    const options = parse(process.argv.slice(2));
    if (options === 'help') console.log(usage);
    else await bench(options, { signal, compareInTurns });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${usage}`);
    process.exitCode = 2;
  }
  if (signal.aborted) process.exitCode = 130;
}

/** One line that is written over, on a terminal only. */
function showProgress(message: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${message}`);
}

/** Writes every timing where that was asked for. */
export function writeResult(file: string | undefined, result: object): void {
  if (file === undefined) return;
  writeFileSync(file, `${JSON.stringify(result, undefined, 2)}\n`);
  console.log(`Every timing is in ${file}.`);
}
