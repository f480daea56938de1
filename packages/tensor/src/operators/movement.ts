import { OptionError, ShapeError } from '../errors.ts';
import { CallSite } from '../graph/callSite.ts';
import { apply } from '../graph/node.ts';
import type { Attributes, Operator } from '../graph/operator.ts';
import type { Tensor } from '../graph/tensor.ts';
import { isFloat, type DType } from '../tensor/dtype.ts';
import {
  broadcastShapes,
  checkShape,
  formatShape,
  normalizeAxis,
  sameShape,
  sizeOf,
  type Shape,
} from '../tensor/shape.ts';
import { checkDTypes, linear, unbroadcast } from './archetypes.ts';
import { constant, zeros } from './constant.ts';
import { scatterAdd } from './indexing.ts';

interface ShapeAttributes extends Attributes {
  readonly shape: Shape;
}

export const Reshape: Operator<ShapeAttributes> = linear<ShapeAttributes>(
  'Reshape',
  (x, { shape }) => {
    checkShape(shape);
    if (sizeOf(shape) !== sizeOf(x.shape)) {
      throw new ShapeError(`${sizeOf(x.shape)} elements do not fill shape ${formatShape(shape)}.`, {
        actual: shape,
        expected: `a shape of ${sizeOf(x.shape)} elements`,
      });
    }
    return { shape, dtype: x.dtype };
  },
  (cotangent, x) => reshape(cotangent, x.shape),
);

interface TransposeAttributes extends Attributes {
  readonly perm: readonly number[];
}

export const Transpose: Operator<TransposeAttributes> = linear<TransposeAttributes>(
  'Transpose',
  (x, { perm }) => {
    if (
      perm.length !== x.shape.length ||
      new Set(perm).size !== perm.length ||
      perm.some((axis) => !(axis in x.shape))
    ) {
      throw new OptionError(`${formatShape(perm)} does not permute the axes of ${formatShape(x.shape)}.`, {
        actual: perm,
        expected: `each of 0…${x.shape.length - 1} once`,
      });
    }
    return { shape: perm.map((axis) => x.shape[axis]), dtype: x.dtype };
  },
  (cotangent, _, { perm }) => transpose(cotangent, inversePermutation(perm)),
);

export function inversePermutation(perm: readonly number[]): number[] {
  const inverse = new Array<number>(perm.length);
  perm.forEach((axis, i) => (inverse[axis] = i));
  return inverse;
}

export const Expand: Operator<ShapeAttributes> = linear<ShapeAttributes>(
  'Expand',
  (x, { shape }) => {
    checkShape(shape);
    if (!sameShape(broadcastShapes(x.shape, shape), shape)) {
      throw new ShapeError(`${formatShape(x.shape)} does not expand to ${formatShape(shape)}.`, {
        actual: x.shape,
        expected: 'extents that are 1 or equal to the target',
      });
    }
    return { shape, dtype: x.dtype };
  },
  (cotangent, x) => unbroadcast(cotangent, x),
);

interface CastAttributes extends Attributes {
  readonly to: DType;
}

/** Floats are truncated towards zero when cast to integers; everything non-zero (including NaN) is true. Differentiable between floats. */
export const Cast: Operator<CastAttributes> = {
  name: 'Cast',
  infer: ([x], { to }) => [{ shape: x.shape, dtype: to }],
  vjp: ({ inputs: [x], attributes: { to } }, [cotangent]) => [
    isFloat(x.dtype) && isFloat(to) ? cast(cotangent!, x.dtype) : undefined,
  ],
  jvp: ({ attributes: { to } }, [tangent]) => [isFloat(tangent!.dtype) && isFloat(to) ? cast(tangent!, to) : undefined],
};

interface ConcatAttributes extends Attributes {
  readonly axis: number;
}

export const Concat: Operator<ConcatAttributes> = {
  name: 'Concat',
  infer(inputs, { axis }) {
    checkDTypes(inputs, 'any');
    const first = inputs[0];
    const mismatch = inputs.find(
      (x) =>
        x.shape.length !== first.shape.length || x.shape.some((extent, i) => i !== axis && extent !== first.shape[i]),
    );
    if (mismatch) {
      throw new ShapeError(
        `${formatShape(first.shape)} and ${formatShape(mismatch.shape)} do not join along axis ${axis}.`,
        {
          actual: mismatch.shape,
          expected: `shapes that differ along axis ${axis} only`,
        },
      );
    }
    const extent = inputs.reduce((sum, x) => sum + x.shape[axis], 0);
    return [{ shape: first.shape.map((e, i) => (i === axis ? extent : e)), dtype: first.dtype }];
  },
  vjp({ inputs, attributes: { axis } }, [cotangent]) {
    let start = 0;
    return inputs.map((x) => {
      const end = start + x.shape[axis];
      const part = sliceAxis(cotangent!, axis, start, end);
      start = end;
      return part;
    });
  },
  jvp: ({ inputs, attributes: { axis } }, tangents) => [
    concat(
      inputs.map((x, i) => tangents[i] ?? zeros(x.shape, x.dtype)),
      axis,
    ),
  ],
};

interface SliceAttributes extends Attributes {
  /** First index along each axis, non-negative. */
  readonly starts: readonly number[];
  /** Exclusive bounds; with a negative step, −1 means before index 0. */
  readonly ends: readonly number[];
  readonly steps: readonly number[];
}

const sliceExtent = (start: number, end: number, step: number): number => Math.max(0, Math.ceil((end - start) / step));

/** A strided box. Attributes cover every axis, already clamped; negative steps go backwards. */
export const Slice: Operator<SliceAttributes> = linear<SliceAttributes>(
  'Slice',
  (x, { starts, ends, steps }) => {
    if (steps.includes(0))
      throw new OptionError('A slice with step 0 does not move.', { actual: steps, expected: 'non-zero steps' });
    return { shape: x.shape.map((_, i) => sliceExtent(starts[i], ends[i], steps[i])), dtype: x.dtype };
  },
  (cotangent, x, { starts, ends, steps }) => {
    const unit = x.shape.map((_, i) => steps[i] === 1);
    // A strided axis is scattered to the indices it was read from; contiguous ones are padded back.
    const spread = x.shape.reduce((grown, extent, axis) => {
      if (unit[axis]) return grown;
      const indices = Array.from({ length: grown.shape[axis] }, (_, i) => starts[axis] + i * steps[axis]);
      const base = zeros(
        grown.shape.map((e, i) => (i === axis ? extent : e)),
        grown.dtype,
      );
      return scatterAdd(base, constant(indices, 'i32', [indices.length]), grown, axis);
    }, cotangent);
    const before = x.shape.map((_, i) => (unit[i] ? starts[i] : 0));
    const after = x.shape.map((extent, i) => (unit[i] ? extent - Math.max(ends[i], starts[i]) : 0));
    return pad(spread, before, after);
  },
);

interface PadAttributes extends Attributes {
  /** Elements added before each axis, then after each axis; none negative. */
  readonly pads: readonly number[];
  readonly value: number;
}

/** Constant padding. */
export const Pad: Operator<PadAttributes> = {
  name: 'Pad',
  infer([x], { pads }) {
    const rank = x.shape.length;
    if (pads.length !== 2 * rank || pads.some((p) => !Number.isInteger(p) || p < 0)) {
      throw new OptionError(`Pads ${formatShape(pads)} do not fit rank ${rank}.`, {
        actual: pads,
        expected: `${2 * rank} non-negative integers`,
      });
    }
    return [{ shape: x.shape.map((extent, i) => extent + pads[i] + pads[i + rank]), dtype: x.dtype }];
  },
  vjp({ inputs: [x], attributes: { pads } }, [cotangent]) {
    const starts = x.shape.map((_, i) => pads[i]);
    const ends = x.shape.map((extent, i) => pads[i] + extent);
    return [slice(cotangent!, starts, ends)];
  },
  jvp: ({ attributes: { pads } }, [tangent]) => apply(Pad, [tangent!], { pads, value: 0 }),
};

/** Its input, unchanged. Compilation removes it; derivative rules use it to name a variable. */
export const Identity: Operator = linear(
  'Identity',
  (x) => x,
  (cotangent) => cotangent,
);

/** Its input, treated as a constant by differentiation. Compilation removes it. */
export const StopGradient: Operator = { name: 'StopGradient', infer: ([x]) => [x] };

/** Its input, unchanged. No pass merges or moves computations across it, so that recomputation is not undone. */
export const Barrier: Operator = linear(
  'Barrier',
  (x) => x,
  (cotangent) => barrier(cotangent),
);

/** The same elements in a new shape; one extent may be −1. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const hole = shape.indexOf(-1);
  const known = shape.reduce((size, extent) => (extent === -1 ? size : size * extent), 1);
  const target = hole < 0 || known === 0 ? shape : shape.map((extent, i) => (i === hole ? x.size / known : extent));
  return apply(Reshape, [x], { shape: [...target] })[0];
}

/** Axes permuted by `permutation`; reversed if it is absent. */
export function transpose(
  x: Tensor,
  permutation: readonly number[] = Array.from({ length: x.rank }, (_, i) => x.rank - 1 - i),
): Tensor {
  return apply(Transpose, [x], { perm: permutation.map((axis) => normalizeAxis(axis, x.rank)) })[0];
}

/** Repeats extents of 1 to `shape`. */
export function expand(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : apply(Expand, [x], { shape: [...shape] })[0];
}

export function cast(x: Tensor, to: DType): Tensor {
  return x.dtype === to ? x : apply(Cast, [x], { to })[0];
}

/** Joins tensors along an existing axis. */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  if (tensors.length === 0)
    throw new OptionError('There is nothing to join.', {
      actual: tensors,
      expected: 'one tensor or more',
      callSite: CallSite.capture(),
    });
  return tensors.length === 1 ? tensors[0] : apply(Concat, tensors, { axis: normalizeAxis(axis, tensors[0].rank) })[0];
}

/** Joins tensors of one shape along a new axis. */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  const position = normalizeAxis(axis, (tensors[0]?.rank ?? 0) + 1);
  return concat(
    tensors.map((x) => reshape(x, x.shape.toSpliced(position, 0, 1))),
    position,
  );
}

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/** The box from `starts` to `ends` (exclusive; negative values count from the end) in steps of `steps`. */
export function slice(
  x: Tensor,
  starts: readonly number[],
  ends: readonly number[],
  steps: readonly number[] = x.shape.map(() => 1),
): Tensor {
  if (starts.length !== x.rank || ends.length !== x.rank || steps.length !== x.rank) {
    throw new OptionError(
      `A slice of a tensor of rank ${x.rank} was given ${starts.length} starts, ${ends.length} ends and ${steps.length} steps.`,
      {
        expected: `${x.rank} of each`,
        remedy: 'Use sliceAxis() to cut one axis.',
        callSite: CallSite.capture(),
      },
    );
  }
  const attributes = {
    starts: x.shape.map((extent, i) => {
      const start = starts[i] < 0 ? starts[i] + extent : starts[i];
      return steps[i] > 0 ? clamp(start, 0, extent) : clamp(start, -1, extent - 1);
    }),
    ends: x.shape.map((extent, i) => {
      const end = ends[i] < 0 ? ends[i] + extent : ends[i];
      return steps[i] > 0 ? clamp(end, 0, extent) : clamp(end, -1, extent - 1);
    }),
    steps: [...steps],
  };
  return apply(Slice, [x], attributes)[0];
}

/** `axis` from `start` up to `end` (exclusive), with the other axes complete. With a negative step, omit `end` to include index 0. */
export function sliceAxis(x: Tensor, axis: number, start: number, end?: number, step = 1): Tensor {
  const target = normalizeAxis(axis, x.rank);
  const last = end ?? (step > 0 ? x.shape[target] : -1 - x.shape[target]);
  const pick = (chosen: number, whole: (extent: number) => number): number[] =>
    x.shape.map((extent, i) => (i === target ? chosen : whole(extent)));
  return slice(
    x,
    pick(start, () => 0),
    pick(last, (extent) => extent),
    pick(step, () => 1),
  );
}

/** Splits an axis into parts of the given extents. */
export function split(x: Tensor, extents: readonly number[], axis: number): Tensor[] {
  let start = 0;
  return extents.map((extent) => sliceAxis(x, axis, start, (start += extent)));
}

/** Adds `before[i]` and `after[i]` elements of `value` before and after axis i. */
export function pad(x: Tensor, before: readonly number[], after: readonly number[], value = 0): Tensor {
  const pads = [...before, ...after];
  return pads.every((p) => p === 0) ? x : apply(Pad, [x], { pads, value })[0];
}

export const identity = (x: Tensor): Tensor => apply(Identity, [x], {})[0];
/** `x`, treated as a constant by differentiation. */
export const stopGradient = (x: Tensor): Tensor => apply(StopGradient, [x], {})[0];
/** `x` behind a barrier that common-subexpression elimination and folding do not cross. */
export const barrier = (x: Tensor): Tensor => apply(Barrier, [x], {})[0];
