import { FlowMatchingError } from '@flow-matching/core';
import { ExperimentError, InterruptedError, UsageError } from './errors.ts';
import { exitStatus, interruptStatus } from './exitStatus.ts';
import { printError } from './terminal/printError.ts';
import { writeText, type Surroundings } from './terminal/surroundings.ts';

/** Prints an error that a command threw, as one JSON document too where that is asked for. @returns the status to exit with. */
export function reportFailure(
  error: unknown,
  streams: Surroundings,
  { json, interruptedBy }: { readonly json: boolean; readonly interruptedBy?: NodeJS.Signals | undefined },
): number {
  writeText(streams.stderr, `${describe(error)}\n`);
  if (json) printError(streams, documentOf(error));
  if (error instanceof InterruptedError) return interruptStatus(interruptedBy);
  return error instanceof UsageError || error instanceof ExperimentError ? exitStatus.usage : exitStatus.failed;
}

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
