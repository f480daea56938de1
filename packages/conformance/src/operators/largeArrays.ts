import { allocate, formatShape, sizeOf, toStorage, type HostArray, type Shape } from '@flow-matching/tensor';
import type { Formula } from '../case/agreement.ts';
import type { Draw } from '../case/draw.ts';
import type { Limit } from '../case/limit.ts';
import type { LimitOf, Use } from '../case/use.ts';

/** Both ends of an extent, and both sides of each power of two, where tiles, groups and counters start and end. */
export function places(extent: number): number[] {
  const found = [0, extent - 1, extent - 2, Math.floor(extent / 3)];
  for (let power = 1; power < extent; power *= 2) found.push(power - 1, power, power + 1);
  return [...new Set(found)].filter((place) => place >= 0 && place < extent).toSorted((a, b) => a - b);
}

/** Elements of a long array: {@link places}, and others spread over it, at distances without a common divisor. */
export function placesAllOver(count: number, others = 256): number[] {
  const stride = Math.max(1, Math.floor(count / others)) | 1;
  return [...new Set([...places(count), ...Array.from({ length: others }, (_, i) => (i * stride) % count)])];
}

/** An array that repeats a shorter one, whose length is not a power of two: drawing millions of numbers takes longer than the test. */
export function tiled({ data, dtype }: HostArray, shape: Shape): HostArray {
  const repeated = allocate(dtype, sizeOf(shape));
  for (let i = 0; i < repeated.length; i++) repeated[i] = data[i % data.length];
  return { data: repeated, shape, dtype };
}

/** The slice of an array at given positions along an axis. */
export function taken({ data, shape, dtype }: HostArray, axis: number, at: readonly number[]): HostArray {
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  const result = allocate(dtype, outer * at.length * inner);
  for (let i = 0; i < outer; i++) {
    at.forEach((place, j) => {
      const from = (i * shape[axis] + place) * inner;
      result.set(data.subarray(from, from + inner), (i * at.length + j) * inner);
    });
  }
  return { data: result, shape: shape.with(axis, at.length), dtype };
}

/** Flat positions of a sub-array: along each axis the given positions, or all. */
export function positionsOf(shape: Shape, places: readonly (readonly number[] | undefined)[]): number[] {
  return shape.reduce<number[]>(
    (positions, extent, axis) => {
      const along = places[axis] ?? Array.from({ length: extent }, (_, i) => i);
      return positions.flatMap((position) => along.map((place) => position * extent + place));
    },
    [0],
  );
}

/** An elementwise use of long arrays, checked at positions spread over them. */
export function longElementwise(
  formula: Formula,
  shape: Shape,
  drawn: readonly ((draw: Draw) => HostArray)[],
  limit?: Limit | LimitOf,
): Use {
  const positions = placesAllOver(sizeOf(shape));
  return {
    what: formatShape(shape),
    operands: (draw) => drawn.map((operand) => tiled(operand(draw), shape)),
    formula,
    limit,
    part: (operands) => ({
      positions,
      operands: operands.map(({ data, dtype }) => ({
        data: toStorage(
          positions.map((position) => data[position]),
          dtype,
        ),
        shape: [positions.length],
        dtype,
      })),
    }),
  };
}
