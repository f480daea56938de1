import { ExperimentError, InterruptedError, UsageError } from './errors.ts';
import { exitStatus, interruptStatus } from './exitStatus.ts';
import { describeError, errorDocument } from './terminal/describeError.ts';
import { printError } from './terminal/printError.ts';
import { writeText, type Surroundings } from './terminal/surroundings.ts';

/** Prints an error thrown by a command, also as a JSON document if requested. @returns the exit status. */
export function reportFailure(
  error: unknown,
  streams: Surroundings,
  { json, interruptedBy }: { readonly json: boolean; readonly interruptedBy?: NodeJS.Signals | undefined },
): number {
  writeText(streams.stderr, `${describeError(error)}\n`);
  if (json) printError(streams, errorDocument(error));
  if (error instanceof InterruptedError) return interruptStatus(interruptedBy);
  return error instanceof UsageError || error instanceof ExperimentError ? exitStatus.usage : exitStatus.failed;
}
