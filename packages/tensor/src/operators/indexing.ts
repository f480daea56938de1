import { DTypeError, OptionError, ShapeError } from '../errors.ts';
import { apply } from '../graph/node.ts';
import type { Attributes, Operator } from '../graph/operator.ts';
import type { Tensor } from '../graph/tensor.ts';
import type { DType } from '../tensor/dtype.ts';
import { formatShape, normalizeAxis, sameShape, type Shape, type TensorType } from '../tensor/shape.ts';
import { checkDTypes } from './archetypes.ts';
import { zerosLike } from './constant.ts';

interface AxisAttributes extends Attributes {
  readonly axis: number;
}

function checkIndices(indices: TensorType): void {
  if (indices.dtype !== 'i32') {
    throw new DTypeError(`Indices are ${indices.dtype}.`, { actual: indices.dtype, expected: 'i32 indices' });
  }
}

const gatheredShape = (data: Shape, indices: Shape, axis: number): Shape => [
  ...data.slice(0, axis),
  ...indices,
  ...data.slice(axis + 1),
];

/** Slices of `data` along `axis` at `indices` (which may count from the end); an index out of range is undefined behavior. */
export const Gather: Operator<AxisAttributes> = {
  name: 'Gather',
  infer([data, indices], { axis }) {
    checkIndices(indices);
    return [{ shape: gatheredShape(data.shape, indices.shape, axis), dtype: data.dtype }];
  },
  vjp: ({ inputs: [data, indices], attributes: { axis } }, [cotangent]) => [
    scatterAdd(zerosLike(data), indices, cotangent!, axis),
    undefined,
  ],
  jvp: ({ inputs: [, indices], attributes: { axis } }, [tangent]) => [gather(tangent!, indices, axis)],
};

/** `data` with `updates` (shaped like Gather's output) added at `indices` along `axis`; repeated indices accumulate. */
export const ScatterAdd: Operator<AxisAttributes> = {
  name: 'ScatterAdd',
  infer([data, indices, updates], { axis }) {
    checkIndices(indices);
    checkDTypes([data, updates], 'numeric');
    const expected = gatheredShape(data.shape, indices.shape, axis);
    if (!sameShape(updates.shape, expected)) {
      throw new ShapeError(`Updates of shape ${formatShape(updates.shape)} do not fit.`, {
        actual: updates.shape,
        expected: formatShape(expected),
      });
    }
    return [{ shape: data.shape, dtype: data.dtype }];
  },
  vjp: ({ inputs: [, indices], attributes: { axis } }, [cotangent]) => [
    cotangent,
    undefined,
    gather(cotangent!, indices, axis),
  ],
  jvp: ({ inputs: [data, indices, updates], attributes: { axis } }, [dData, , dUpdates]) => [
    scatterAdd(dData ?? zerosLike(data), indices, dUpdates ?? zerosLike(updates), axis),
  ],
};

interface RangeAttributes extends Attributes {
  readonly start: number;
  readonly limit: number;
  readonly delta: number;
  readonly dtype: DType;
}

/** start, start + delta, … up to but not reaching limit. */
export const Range: Operator<RangeAttributes> = {
  name: 'Range',
  infer(_, { start, limit, delta, dtype }) {
    if (delta === 0)
      throw new OptionError('A range with step 0 does not move.', { actual: delta, expected: 'a non-zero step' });
    if (dtype === 'bool')
      throw new DTypeError('There is no range of bool.', { actual: dtype, expected: 'a numeric dtype' });
    return [{ shape: [Math.max(0, Math.ceil((limit - start) / delta))], dtype }];
  },
};

/** Slices of `data` along `axis` at integer `indices`: shape data[:axis] + indices + data[axis+1:]. */
export function gather(data: Tensor, indices: Tensor, axis = 0): Tensor {
  return apply(Gather, [data, indices], { axis: normalizeAxis(axis, data.rank) })[0];
}

/** `data` with `updates` added at `indices` along `axis`: the transpose of {@link gather}. */
export function scatterAdd(data: Tensor, indices: Tensor, updates: Tensor, axis = 0): Tensor {
  return apply(ScatterAdd, [data, indices, updates], { axis: normalizeAxis(axis, data.rank) })[0];
}

/** start, start + delta, … (exclusive of limit); `range(n)` counts from 0. */
export function range(start: number, limit?: number, delta = 1, dtype: DType = 'i32'): Tensor {
  const [from, to] = limit === undefined ? [0, start] : [start, limit];
  return apply(Range, [], { start: from, limit: to, delta, dtype })[0];
}
