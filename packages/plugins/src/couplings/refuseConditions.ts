import { DataError, type CouplingRequest } from '@flow-matching/core';
import * as z from 'zod';

/** The option of couplings that look at points alone. */
export const conditionOption = {
  /** Pair across conditions all the same. The source of a condition then differs from the source that sampling starts from. */
  ignoreCondition: z.boolean().default(false),
};

/**
 * Refuses conditions: pairing that looks at points alone ties the source to the condition, while sampling draws it independently
 * (Cheng & Schwing 2025, "The curse of conditions").
 *
 * @throws DataError
 */
export function refuseConditions(name: string, { condition = {} }: CouplingRequest, ignore: boolean): void {
  const [first] = Object.keys(condition);
  if (first === undefined || ignore) return;
  throw new DataError(`The coupling '${name}' pairs points across the condition '${first}'.`, {
    actual: Object.keys(condition),
    expected: 'data without conditions',
    remedy: 'Use the coupling condition-aware-optimal-transport, or set ignoreCondition.',
  });
}
