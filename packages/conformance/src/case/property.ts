import { HostRandomStream } from '@flow-matching/tensor';
import * as fc from 'fast-check';
import { UndeclaredError } from '../backend/auditedBackend.ts';
import type { CaseContext } from './conformanceCase.ts';
import { ConformanceError } from './conformanceError.ts';
import type { Measurement } from './measurement.ts';

export interface PropertyOptions {
  /** Examples drawn. Each that is a new geometry is a compilation. */
  readonly runs: number;
}

/**
 * Checks a claim on drawn examples, the same for the same seed, and shrinks one that breaks it. Every example gets a context of its
 * own: its draws begin anew, so that a shrunk example is what it is alone, and a measurement beyond its limit ends it.
 *
 * @throws ConformanceError that names the counterexample, its seed and path; the error of the backend where it failed otherwise.
 */
export async function checkProperty<T>(
  context: CaseContext,
  examples: fc.Arbitrary<T>,
  check: (example: T, context: CaseContext) => Promise<void>,
  { runs }: PropertyOptions,
): Promise<void> {
  let undeclared: UndeclaredError | undefined;
  const property = fc.asyncProperty(examples, async (example) => {
    const random = new HostRandomStream(context.seed);
    try {
      await check(example, { ...context, random, measure: (measurement) => strict(measurement, context) });
    } catch (error) {
      // Not a counterexample: nothing to shrink.
      if (!(error instanceof UndeclaredError)) throw error;
      undeclared = error;
    }
  });
  const { failed, counterexample, counterexamplePath, errorInstance } = await fc.check(property, {
    seed: context.seed,
    numRuns: runs,
  });
  if (undeclared) throw undeclared;
  if (!failed) return;
  const reason = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  const place = `seed ${context.seed}, path ${counterexamplePath}`;
  const message = `It does not hold for ${fc.stringify(counterexample?.[0])} (${place}): ${reason}`;
  if (errorInstance instanceof ConformanceError) throw new ConformanceError(message, { cause: errorInstance });
  throw new Error(message, { cause: errorInstance });
}

/** Hands a measurement on where it passes, and throws it where not. */
function strict(measurement: Measurement, context: CaseContext): void {
  const { what, ratio, limit, worst } = measurement;
  if (ratio <= 1) return context.measure(measurement);
  const where = worst ? `[${worst.at.join(', ')}] is ${worst.actual}, expected ${worst.expected}` : 'is off';
  throw new ConformanceError(`${what} ${where}: ${ratio.toPrecision(3)} times the limit (${limit}).`);
}
