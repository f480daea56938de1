import { type CouplingRequest } from '@flow-matching/core';
import { DataError } from '@flow-matching/tensor';
import * as z from 'zod';

/** The option of couplings that use only the points. */
export const conditionOption = {
  ignoreCondition: z
    .boolean()
    .default(false)
    .describe('Pair points across conditions, although sampling draws the source independently of the condition'),
};

/**
 * Refuses conditions: pairing by points alone makes the source depend on the condition, while sampling draws it independently
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
