import { type Tensor, DataError, checkHostArray, type HostArray, type TensorType } from '@flow-matching/tensor';
import type { ModelContext } from '../contracts/model.ts';

/** Conditioning arrays of samples, each [count, ...]. */
export type Conditions = Readonly<Record<string, HostArray>> | undefined;

const prefix = 'condition.';

/**
 * Checks that the conditions match those that the flow was trained on, with one row per sample.
 *
 * @throws DataError for a missing or unknown name, or a wrong number of rows or shape; otherwise as {@link checkHostArray}
 *   does.
 */
export function checkConditions(conditions: Conditions, { condition: known = {} }: ModelContext, count: number): void {
  const given = conditions ?? {};
  const names = Object.keys(known);
  const expected = names.length > 0 ? `conditions ${names.join(', ')}` : 'no conditions: the model takes none';
  const missing = names.find((name) => !Object.hasOwn(given, name));
  if (missing !== undefined) {
    throw new DataError(`The condition '${missing}' is missing.`, { actual: Object.keys(given), expected });
  }
  for (const [name, array] of Object.entries(given)) {
    if (!Object.hasOwn(known, name))
      throw new DataError(`There is no condition '${name}'.`, { actual: name, expected });
    checkHostArray(`condition.${name}`, array, { shape: [count, ...known[name]] });
  }
}

const mapConditions = <To>(conditions: Conditions, replace: (array: HostArray) => To): Record<string, To> =>
  Object.fromEntries(Object.entries(conditions ?? {}).map(([name, array]) => [prefix + name, replace(array)]));

/** The conditions as inputs of a batch, restricted to its rows. */
export const conditionInputs = (
  conditions: Conditions,
  rowsOf: (array: HostArray) => HostArray,
): Record<string, HostArray> => mapConditions(conditions, rowsOf);

/** Their types in a batch of `rows`. */
export const conditionTypes = (conditions: Conditions, rows: number): Record<string, TensorType> =>
  mapConditions(conditions, ({ shape, dtype }) => ({ shape: [rows, ...shape.slice(1)], dtype }));

/** The conditioning tensors among a solve's constants, under their own names. */
export function conditionsOf(constants: Readonly<Record<string, Tensor>>): Record<string, Tensor> | undefined {
  const entries = Object.entries(constants).filter(([name]) => name.startsWith(prefix));
  return entries.length > 0
    ? Object.fromEntries(entries.map(([name, value]) => [name.slice(prefix.length), value]))
    : undefined;
}

/** The step word of the counter for draws outside training steps. */
export const zeroStep = (like: Tensor): Tensor => like.sub(like);
