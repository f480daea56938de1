import { FlowMatchingError } from '../../src/errors.ts';

/** The error of this framework that an action throws. Fails where it throws none, or another. */
export function thrownBy(action: () => unknown): FlowMatchingError {
  try {
    action();
  } catch (error) {
    if (error instanceof FlowMatchingError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** As {@link thrownBy}, of a promise. */
export async function rejectionOf(promise: Promise<unknown>): Promise<FlowMatchingError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof FlowMatchingError) return outcome;
  throw outcome instanceof Error ? outcome : new Error('nothing was thrown');
}
