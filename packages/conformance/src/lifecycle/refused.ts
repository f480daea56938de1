import { FlowMatchingError } from '@flow-matching/tensor';
import { claim, ConformanceError } from '../case/conformanceError.ts';

/** Fails unless `action` throws, or rejects with, an error of the given stable code. */
export async function refused(what: string, code: string, action: () => unknown): Promise<void> {
  try {
    await action();
  } catch (error) {
    const actual =
      error instanceof FlowMatchingError ? error.code : error instanceof Error ? error.message : typeof error;
    claim(actual === code, `${what} ends in ${actual}.`, { actual, expected: `an error with code ${code}` });
    return;
  }
  throw new ConformanceError(`${what} is accepted.`, { expected: `an error with code ${code}` });
}
