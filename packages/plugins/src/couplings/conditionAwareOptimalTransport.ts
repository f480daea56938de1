import { defineCoupling, type CouplingRequest } from '@flow-matching/core';
import { DataError, OptionError, type HostArray, type Stepwise } from '@flow-matching/tensor';
import * as z from 'zod';
import type { CostRows } from '../transport/costRows.ts';
import { linearAssignment } from '../transport/linearAssignment.ts';
import { denseCosts, squaredDistances } from '../transport/squaredDistances.ts';
import { couplingInSteps } from './couplingInSteps.ts';

/**
 * Minibatch optimal transport within conditions (Cheng & Schwing 2025, "The curse of conditions"): a source point has the
 * condition of the data point it was drawn with, and points are only paired within a condition. The source distribution of each
 * condition is therefore the one that sampling starts from. With a `penalty`, pairs across conditions cost that much more per
 * unit of squared distance between the conditions; points of one class differ by 0, one-hot classes by 2.
 *
 * @throws DataError if there is no condition; NumericalError for points that are not finite.
 */
export const conditionAwareOptimalTransport = defineCoupling({
  name: 'condition-aware-optimal-transport',
  summary: 'Least squared distance within a condition, or with a penalty',
  options: z.strictObject({
    condition: z
      .string()
      .min(1)
      .exactOptional()
      .describe('Name of the condition to compare; all conditions by default'),
    penalty: z
      .float32()
      .positive()
      .exactOptional()
      .describe(
        'Cost of a pair whose conditions differ, in squared units of the data; such pairs are forbidden by default',
      ),
  }),
  create: ({ condition, penalty }) =>
    couplingInSteps('condition-aware-optimal-transport', function* (request) {
      const conditions = conditionsOf(request, condition);
      return yield* penalty === undefined
        ? withinClasses(request, conditions)
        : acrossClasses(request, conditions, penalty);
    }),
});

/** @throws DataError or OptionError if the requested condition is missing. */
function conditionsOf({ condition = {} }: CouplingRequest, name: string | undefined): HostArray[] {
  const names = Object.keys(condition);
  if (names.length === 0) {
    throw new DataError("The coupling 'condition-aware-optimal-transport' has no condition to look at.", {
      expected: 'data with a condition',
      remedy: 'Use the coupling optimal-transport.',
    });
  }
  if (name === undefined) return Object.values(condition);
  if (!(name in condition)) {
    throw new OptionError(`The data has no condition '${name}'.`, {
      actual: name,
      expected: `one of ${names.join(', ')}`,
    });
  }
  return [condition[name]];
}

function* withinClasses({ x0, x1 }: CouplingRequest, conditions: readonly HostArray[]): Stepwise<Int32Array> {
  const order = new Int32Array(x1.shape[0]);
  for (const rows of classesOf(conditions).values()) {
    yield;
    const { columns } = yield* linearAssignment(squaredDistances(rowsOf(x1, rows), rowsOf(x0, rows)));
    rows.forEach((row, i) => (order[row] = rows[columns[i]]));
  }
  return order;
}

/** Groups of rows that agree in every condition. */
function classesOf(conditions: readonly HostArray[]): Map<string, number[]> {
  const classes = new Map<string, number[]>();
  for (let row = 0; row < conditions[0].shape[0]; row++) {
    const key = conditions.map((array) => rowsOf(array, [row]).data.join()).join(';');
    const members = classes.get(key);
    if (members) members.push(row);
    else classes.set(key, [row]);
  }
  return classes;
}

function* acrossClasses(
  { x0, x1 }: CouplingRequest,
  conditions: readonly HostArray[],
  penalty: number,
): Stepwise<Int32Array> {
  const points = squaredDistances(x1, x0);
  const apart = conditions.map((array) => squaredDistances(array, array));
  const { columns } = yield* linearAssignment(penalized(points, apart, penalty));
  return columns;
}

function penalized(points: CostRows, apart: readonly CostRows[], penalty: number): CostRows {
  return denseCosts(points.size, (i, row) => {
    row.set(points.row(i));
    for (const conditions of apart) conditions.row(i).forEach((distance, j) => (row[j] += penalty * distance));
  });
}

function rowsOf({ data, shape, dtype }: HostArray, rows: readonly number[]): HostArray {
  const width = data.length / shape[0];
  const picked = new Float64Array(rows.length * width);
  rows.forEach((row, i) => picked.set(data.subarray(row * width, (row + 1) * width), i * width));
  return { data: picked, shape: [rows.length, ...shape.slice(1)], dtype };
}
