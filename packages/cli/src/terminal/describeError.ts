import { FlowMatchingError } from '@flow-matching/tensor';
import { ExperimentError, InterruptedError } from '../errors.ts';

/** An error as text for users. Unexpected errors include their stack. */
export function describeError(error: unknown): string {
  if (error instanceof InterruptedError) return error.message;
  if (error instanceof FlowMatchingError) return `error ${error.code}: ${error.message}`;
  return `error: ${error instanceof Error ? error.stack : String(error)}\nThis is a defect of flow-matching, not of what you asked for.`;
}

/** An error as printed with `--json`. */
export function errorDocument(error: unknown): Record<string, unknown> {
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
