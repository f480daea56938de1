import { assert } from 'chai';
import fc from 'fast-check';
import { jvp } from '../src/autodiff/forward.ts';
import { vjp } from '../src/autodiff/reverse.ts';
import type { Tensor } from '../src/graph/tensor.ts';
import * as fm from '../src/operators/index.ts';
import { broadcastShapes } from '../src/tensor/shape.ts';
import { evaluate, inner, normals, uniforms } from './support/numeric.ts';

/** ⟨u, J·v⟩ = ⟨Jᵀ·u, v⟩ for a formula whose inputs have these shapes. Inputs are positive. */
function checkAdjoint(
  formula: (...xs: Tensor[]) => Tensor,
  shapes: readonly (readonly number[])[],
  seed: number,
): void {
  const at = shapes.map((shape, i) => uniforms(shape, seed + i, 0.5, 2));
  const vs = shapes.map((shape, i) => normals(shape, seed + 100 + i));
  const tangents = evaluate(
    (...args) => jvp((...xs) => [formula(...xs)], args.slice(0, at.length), args.slice(at.length)).tangents,
    [...at, ...vs],
  );
  const u = normals(tangents[0].shape, seed + 200);
  const cotangents = evaluate(
    (...args) => vjp((...xs) => [formula(...xs)], args.slice(0, -1)).pullback(args.slice(-1)),
    [...at, u],
  );
  cotangents.forEach(({ shape }, i) => assert.deepEqual(shape, shapes[i]));
  const pairing = inner([u], tangents);
  assert.isAtMost(Math.abs(pairing - inner(cotangents, vs)), 1e-11 * (1 + Math.abs(pairing)));
}

const extent = fc.integer({ min: 1, max: 3 });
const seed = fc.integer({ min: 0, max: 1e6 });
const shapeOf = (minLength: number, maxLength: number): fc.Arbitrary<number[]> =>
  fc.array(extent, { minLength, maxLength });

/** A shape that broadcasts to `target`: leading axes dropped, some extents 1. */
const narrowed = (target: readonly number[]): fc.Arbitrary<number[]> =>
  fc
    .tuple(
      fc.integer({ min: 0, max: target.length }),
      fc.array(fc.boolean(), { minLength: target.length, maxLength: target.length }),
    )
    .map(([lead, ones]) => target.map((size, i) => (ones[i] ? 1 : size)).slice(lead));
const broadcastable = shapeOf(0, 3).chain((target) => fc.tuple(narrowed(target), narrowed(target), narrowed(target)));

const axesOf = (rank: number): fc.Arbitrary<number[]> => fc.subarray(Array.from({ length: rank }, (_, i) => i));

const holds = <T>(name: string, arbitrary: fc.Arbitrary<T>, check: (value: T, seed: number) => void): void => {
  it(name, () => fc.assert(fc.property(arbitrary, seed, check), { numRuns: 25 }));
};

describe('the adjoint identity holds', () => {
  holds('for operands that broadcast', broadcastable, ([a, b, c], s) => {
    for (const operator of [fm.add, fm.sub, fm.mul, fm.div, fm.pow, fm.maximum, fm.minimum])
      checkAdjoint(operator, [a, b], s);
    checkAdjoint((x, y, z) => fm.where(fm.less(x, 1), y, z), [a, b, c], s);
    checkAdjoint((x) => fm.expand(x, broadcastShapes(a, b)), [a], s);
  });

  holds(
    'for products of matrices that broadcast',
    fc.tuple(broadcastable, extent, extent, extent),
    ([[a, b], rows, depth, columns], s) =>
      checkAdjoint(
        fm.matmul,
        [
          [...a, rows, depth],
          [...b, depth, columns],
        ],
        s,
      ),
  );

  holds(
    'for reductions',
    shapeOf(1, 4).chain((shape) => fc.tuple(fc.constant(shape), axesOf(shape.length), fc.boolean())),
    ([shape, axes, keepdims], s) => {
      for (const operator of [fm.reduceSum, fm.reduceMax, fm.reduceMin])
        checkAdjoint((x) => operator(x, axes, { keepdims }).square(), [shape], s);
    },
  );

  const cut = fc.record({
    start: fc.integer({ min: -5, max: 5 }),
    end: fc.integer({ min: -5, max: 5 }),
    step: fc.constantFrom(-3, -2, -1, 1, 2, 3),
  });
  holds(
    'for slices, paddings, permutations and joins',
    shapeOf(1, 3).chain((shape) =>
      fc.tuple(
        fc.constant(shape),
        fc.array(cut, { minLength: shape.length, maxLength: shape.length }),
        fc.shuffledSubarray(
          shape.map((_, i) => i),
          { minLength: shape.length },
        ),
        fc.integer({ min: 0, max: shape.length - 1 }),
      ),
    ),
    ([shape, cuts, permutation, axis], s) => {
      const pick = (name: 'start' | 'end' | 'step'): number[] => cuts.map((part) => part[name]);
      checkAdjoint((x) => fm.slice(x, pick('start'), pick('end'), pick('step')).square(), [shape], s);
      checkAdjoint((x) => fm.pad(x, pick('start').map(Math.abs), pick('end').map(Math.abs), 2).square(), [shape], s);
      checkAdjoint((x) => fm.transpose(x, permutation).square(), [shape], s);
      checkAdjoint((x, y) => fm.concat([x, y, x], axis).square(), [shape, shape.with(axis, 2)], s);
    },
  );

  holds(
    'for gathering and scattering, with repeated indices',
    shapeOf(1, 3).chain((shape) =>
      fc
        .integer({ min: 0, max: shape.length - 1 })
        .chain((axis) =>
          fc.tuple(
            fc.constant(shape),
            fc.constant(axis),
            fc.array(fc.integer({ min: -shape[axis], max: shape[axis] - 1 }), { minLength: 1, maxLength: 5 }),
          ),
        ),
    ),
    ([shape, axis, indices], s) => {
      const at = fm.constant(indices, 'i32');
      checkAdjoint((x) => fm.gather(x, at, axis).square(), [shape], s);
      checkAdjoint(
        (x, updates) => fm.scatterAdd(x, at, updates, axis).square(),
        [shape, shape.with(axis, indices.length)],
        s,
      );
    },
  );

  const geometry = fc.record({
    stride: fc.tuple(extent, extent),
    padding: fc.tuple(
      ...([0, 0, 0, 0].map(() => fc.integer({ min: 0, max: 2 })) as [
        fc.Arbitrary<number>,
        fc.Arbitrary<number>,
        fc.Arbitrary<number>,
        fc.Arbitrary<number>,
      ]),
    ),
    dilation: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
    groups: fc.integer({ min: 1, max: 2 }),
    kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 })),
    depth: fc.integer({ min: 1, max: 2 }),
    filters: fc.integer({ min: 1, max: 2 }),
  });
  holds(
    'for convolutions of every stride, padding, dilation and grouping',
    geometry,
    ({ kernel, depth, filters, ...options }, s) => {
      const image = [2, depth * options.groups, 6, 5];
      const weight = [filters * options.groups, depth, ...kernel];
      checkAdjoint((x, w) => fm.conv2d(x, w, options), [image, weight], s);
    },
  );
});
