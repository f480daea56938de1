import { HostRandomStream } from '@flow-matching/tensor';
import * as fc from 'fast-check';
import { UndeclaredError } from '../backend/auditedBackend.ts';
import type { CaseContext } from './conformanceCase.ts';
import { ConformanceError } from './conformanceError.ts';
import type { Measurement } from './measurement.ts';

export interface PropertyOptions {
  /** Number of examples. Each new geometry is a compilation. */
  readonly runs: number;
}

/**
 * Checks a claim on drawn examples, deterministic for a seed, and shrinks a counterexample. Every example gets a separate
 * context: its draws start anew, so that a shrunk example behaves as it does alone, and a measurement beyond its limit ends it.
 *
 * @throws ConformanceError that names the counterexample, its seed and path; other errors of the backend unchanged.
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
      // Not a counterexample, so there is nothing to shrink.
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

/** Records a measurement if it passes, else throws it. */
function strict(measurement: Measurement, context: CaseContext): void {
  const { what, ratio, limit, worst } = measurement;
  if (ratio <= 1) return context.measure(measurement);
  const where = worst ? `[${worst.at.join(', ')}] is ${worst.actual}, expected ${worst.expected}` : 'is off';
  throw new ConformanceError(`${what} ${where}: ${ratio.toPrecision(3)} times the limit (${limit}).`);
}
