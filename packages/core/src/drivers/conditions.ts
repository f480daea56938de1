import {
  type Tensor,
  DataError,
  checkHostArray,
  mapTree,
  type HostArray,
  type TensorType,
} from '@flow-matching/tensor';
import type { ModelContext } from '../contracts/model.ts';

/** Conditioning arrays of samples, each [count, ...]. */
export type Conditions = Readonly<Record<string, HostArray>> | undefined;

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

/** The conditions of a batch: their rows. */
export const conditionRows = (
  conditions: Conditions,
  rowsOf: (array: HostArray) => HostArray,
): { readonly condition?: Readonly<Record<string, HostArray>> } =>
  conditions ? { condition: mapTree<HostArray, HostArray>(conditions, rowsOf) as Record<string, HostArray> } : {};

/** Their types in a batch of `rows`. */
export const conditionTypes = (
  conditions: Conditions,
  rows: number,
): { readonly condition?: Readonly<Record<string, TensorType>> } =>
  conditions
    ? {
        condition: mapTree<HostArray, TensorType>(conditions, ({ shape, dtype }) => ({
          shape: [rows, ...shape.slice(1)],
          dtype,
        })) as Record<string, TensorType>,
      }
    : {};

/** The step word of the counter for draws outside training steps. */
export const zeroStep = (like: Tensor): Tensor => like.sub(like);
