import { FlowMatchingError } from '@flow-matching/core';
import { CommanderError } from 'commander';
import { ExperimentError, InterruptedError, UsageError } from './errors.ts';
import { createProgram } from './program.ts';
import type { Output } from './terminal/output.ts';
import type { Surroundings } from './terminal/surroundings.ts';

export const exitStatus = { done: 0, failed: 1, usage: 2 } as const;

/** Runs one command line and says how it went: the status the process should exit with. */
export async function runCommandLine(args: readonly string[], streams: Surroundings): Promise<number> {
  const json = args.includes('--json');
  let output: Output | undefined;
  try {
    await createProgram(streams, (made) => (output = made)).parseAsync(args, { from: 'user' });
    return output?.failed ? exitStatus.failed : exitStatus.done;
  } catch (error) {
    output?.endProgress();
    // Help and version arrive as errors too, with status 0; commander has printed its message already.
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitStatus.done;
      if (json) print(streams, { code: 'FM_USAGE', message: error.message.replace(/^error: /, '') });
      return exitStatus.usage;
    }
    streams.stderr.write(`${describe(error)}\n`);
    if (json) print(streams, documentOf(error));
    return error instanceof UsageError || error instanceof ExperimentError ? exitStatus.usage : exitStatus.failed;
  }
}

const print = (streams: Surroundings, error: unknown): unknown =>
  streams.stdout.write(`${JSON.stringify({ error }, null, 2)}\n`);

/** What went wrong, for people. An error that nobody meant to throw shows where it came from. */
function describe(error: unknown): string {
  if (error instanceof InterruptedError) return error.message;
  if (error instanceof FlowMatchingError) return `error ${error.code}: ${error.message}`;
  return `error: ${error instanceof Error ? error.stack : String(error)}\nThis is a defect of flow-matching, not of what you asked for.`;
}

function documentOf(error: unknown): Record<string, unknown> {
  if (!(error instanceof FlowMatchingError)) return { code: 'FM_DEFECT', message: String(error) };
  const { code, message, expected, remedy } = error;
  return {
    code,
    message,
    ...(expected !== undefined && { expected }),
    ...(remedy !== undefined && { remedy }),
    ...(error instanceof ExperimentError && Array.isArray(error.actual) && { problems: error.actual }),
  };
}
