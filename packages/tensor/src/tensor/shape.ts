import { OptionError, ShapeError } from '../errors.ts';
import { CallSite } from '../graph/callSite.ts';
import type { DType } from './dtype.ts';

export type Shape = readonly number[];

/** Shape and dtype: everything that is known about the value of a symbolic tensor. */
export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
}

export const sizeOf = (shape: Shape): number => shape.reduce((size, extent) => size * extent, 1);

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((extent, i) => extent === b[i]);

/** Shapes and types in messages and listings: `f32[256, 2]`. */
export const formatShape = (shape: Shape): string => `[${shape.join(', ')}]`;
export const formatType = (type: TensorType): string => `${type.dtype}${formatShape(type.shape)}`;

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** The shape that `shapes` broadcast to, as in NumPy and ONNX. Throws a ShapeError naming all of them if they are incompatible. */
export function broadcastShapes(...shapes: readonly Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    shape.forEach((extent, i) => {
      const axis = i + rank - shape.length;
      if (extent === 1 || extent === result[axis]) return;
      if (result[axis] !== 1) {
        throw new ShapeError(
          `Shapes ${shapes.map(formatShape).join(' and ')} do not broadcast: axis ${axis - rank} has extents ${result[axis]} and ${extent}.`,
          {
            actual: shapes,
            expected: 'extents that are equal or 1, aligned from the last axis',
          },
        );
      }
      result[axis] = extent;
    });
  }
  return result;
}

/** The non-negative form of an axis that may count from the end. */
export function normalizeAxis(axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new OptionError(`Axis ${axis} does not exist in a tensor of rank ${rank}.`, {
      actual: axis,
      expected: rank === 0 ? 'no axis at all' : `an integer from ${-rank} to ${rank - 1}`,
      callSite: CallSite.capture(),
    });
  }
  return axis < 0 ? axis + rank : axis;
}

/** Distinct, sorted, non-negative axes; all axes if none are given. */
export function normalizeAxes(axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const list = (typeof axes === 'number' ? [axes] : axes).map((axis) => normalizeAxis(axis, rank));
  if (new Set(list).size !== list.length) {
    throw new OptionError(`Axes ${formatShape(list)} name one axis twice.`, {
      actual: axes,
      expected: 'distinct axes',
      callSite: CallSite.capture(),
    });
  }
  return list.toSorted((a, b) => a - b);
}

/** Throws unless every extent is a non-negative integer. */
export function checkShape(shape: Shape): void {
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) {
    throw new ShapeError(`${formatShape(shape)} is not a shape.`, { actual: shape, expected: 'non-negative integers' });
  }
}
