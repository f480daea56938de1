import type { Tensor } from '../graph/tensor.ts';
import type { HostArray } from '../tensor/hostArray.ts';
import type { TensorType } from '../tensor/shape.ts';

/** Conditioning arrays of samples, [count, ...] each. */
export type Conditions = Readonly<Record<string, HostArray>> | undefined;

const prefix = 'condition.';

const mapConditions = <To>(conditions: Conditions, replace: (array: HostArray) => To): Record<string, To> =>
  Object.fromEntries(Object.entries(conditions ?? {}).map(([name, array]) => [prefix + name, replace(array)]));

/** The conditions as inputs of a batch, each cut to its rows. */
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

/** The counter's step word of draws that belong to no training step. */
export const zeroStep = (like: Tensor): Tensor => like.sub(like);

/** Types alone of arrays. */
export const typesOf = (arrays: Readonly<Record<string, TensorType>>): Record<string, TensorType> =>
  Object.fromEntries(Object.entries(arrays).map(([name, { shape, dtype }]) => [name, { shape, dtype }]));
