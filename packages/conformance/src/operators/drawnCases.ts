import * as fc from 'fast-check';
import * as fm from '@flow-matching/tensor';
import { broadcastShapes, formatShape, type Shape } from '@flow-matching/tensor';
import type { ConformanceCase } from '../case/conformanceCase.ts';
import { checkProperty } from '../case/property.ts';
import { measureUses, type Use } from '../case/use.ts';
import { summed } from './accuracy.ts';
import { byInput, byWeight, convolution, forward, product, type Convolution } from './productUses.ts';

/** Each takes a separate compilation. */
const runs = 12;

const extent = fc.integer({ min: 1, max: 6 });
const shape = (minLength: number, maxLength = 4): fc.Arbitrary<number[]> => fc.array(extent, { minLength, maxLength });

/** A shape, and operands that broadcast to it: leading axes left out, others shrunk to 1. */
const broadcasts = (operands: number): fc.Arbitrary<Shape[]> =>
  shape(0).chain((whole) =>
    fc.array(
      fc
        .tuple(fc.integer({ min: 0, max: whole.length }), fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }))
        .map(([from, shrunk]) => whole.map((e, i) => (shrunk[i] ? 1 : e)).slice(from)),
      { minLength: operands, maxLength: operands },
    ),
  );

interface AxesOf {
  readonly of: Shape;
  readonly axes: number[];
  readonly keepdims: boolean;
}

const axesOf: fc.Arbitrary<AxesOf> = shape(1).chain((of) =>
  fc.record({
    of: fc.constant(of),
    axes: fc.shuffledSubarray([...of.keys()], { minLength: 1 }),
    keepdims: fc.boolean(),
  }),
);

interface Box {
  readonly of: Shape;
  readonly starts: number[];
  readonly ends: number[];
  readonly steps: number[];
}

/** Slices that are non-empty along every axis. */
const boxes: fc.Arbitrary<Box> = fc
  .array(
    fc
      .record({
        extent,
        a: fc.nat({ max: 5 }),
        b: fc.nat({ max: 5 }),
        step: fc.constantFrom(1, 2, 3, -1, -2),
      })
      .map(({ extent: e, a, b, step }) => {
        const [low, high] = [Math.min(a % e, b % e), Math.max(a % e, b % e)];
        // An end of −1 − extent means before index 0.
        return step > 0
          ? { e, start: low, end: high + 1, step }
          : { e, start: high, end: low === 0 ? -1 - e : low - 1, step };
      }),
    { minLength: 1, maxLength: 4 },
  )
  .map((axes) => ({
    of: axes.map(({ e }) => e),
    starts: axes.map(({ start }) => start),
    ends: axes.map(({ end }) => end),
    steps: axes.map(({ step }) => step),
  }));

const products: fc.Arbitrary<readonly [Shape, Shape]> = fc
  .tuple(broadcasts(2), extent, fc.integer({ min: 1, max: 40 }), extent)
  .map(([[a, b], rows, inner, columns]) => [
    [...a.slice(-2), rows, inner],
    [...b.slice(-2), inner, columns],
  ]);

const small = fc.integer({ min: 1, max: 3 });

const convolutions: fc.Arbitrary<Convolution> = fc
  .record({
    batch: small,
    groups: fc.integer({ min: 1, max: 2 }),
    depth: small,
    filters: small,
    kernel: fc.tuple(small, small),
    rest: fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 5 })),
    stride: fc.tuple(small, small),
    dilation: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
    padding: fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 2 }), fc.nat({ max: 2 }), fc.nat({ max: 2 })),
  })
  .map(({ batch, groups, depth, filters, kernel, rest, ...options }) => {
    // The image covers the dilated kernel even without padding.
    const image = kernel.map((k, i) => options.dilation[i] * (k - 1) + 1 + rest[i]);
    return convolution([batch, depth * groups, ...image], [filters * groups, depth, ...kernel], { groups, ...options });
  });

const use = (what: string, shapes: readonly Shape[], formula: Use['formula'], limit?: Use['limit']): Use => ({
  what,
  operands: (draw) => shapes.map((own) => draw.array(own)),
  formula,
  limit,
});

/** A case whose uses follow from drawn geometry. */
const drawn = <T>(
  operator: string,
  what: string,
  geometries: fc.Arbitrary<T>,
  usesOf: (geometry: T) => readonly Use[],
): ConformanceCase => ({
  id: `L1/${operator}/f32/${what}`,
  level: 1,
  dtype: 'f32',
  claim: `${operator} of f32 is what the f64 reference has for ${runs} ${what}`,
  run: (context) =>
    checkProperty(context, geometries, (geometry, own) => measureUses(own, usesOf(geometry), 'f32'), { runs }),
});

/** Random geometry, drawn from the run's seed, and shrunk if it fails. */
export const drawnCases = (): readonly ConformanceCase[] => [
  drawn('Add', 'drawn broadcasts', broadcasts(2), ([a, b]) => [
    use(`${formatShape(a)} and ${formatShape(b)}`, [a, b], fm.add),
  ]),
  drawn('Where', 'drawn broadcasts', broadcasts(3), ([condition, a, b]) => [
    {
      what: [condition, a, b].map(formatShape).join(', '),
      operands: (draw) => [draw.of('bool').array(condition), draw.array(a), draw.array(b)],
      formula: (c, x, y) => fm.where(c, x, y),
    },
  ]),
  drawn('Expand', 'drawn shapes', broadcasts(2), ([a, b]) => {
    const whole = broadcastShapes(a, b);
    return [use(`${formatShape(a)} to ${formatShape(whole)}`, [a], (x) => x.expand(whole))];
  }),
  drawn('Transpose', 'drawn permutations', axesOf, ({ of, axes }) => {
    const rest = [...of.keys()].filter((axis) => !axes.includes(axis));
    const permutation = [...axes, ...rest];
    return [use(`${formatShape(of)} by ${formatShape(permutation)}`, [of], (x) => x.transpose(permutation))];
  }),
  drawn('ReduceSum', 'drawn axes', axesOf, ({ of, axes, keepdims }) => {
    const formula = (x: fm.Tensor): fm.Tensor => fm.reduceSum(x, axes, { keepdims });
    return [use(`${formatShape(of)} over ${formatShape(axes)}`, [of], formula, summed(formula, fm.sizeOf(of)))];
  }),
  drawn('ReduceMax', 'drawn axes', axesOf, ({ of, axes, keepdims }) => [
    use(`${formatShape(of)} over ${formatShape(axes)}`, [of], (x) => fm.reduceMax(x, axes, { keepdims })),
  ]),
  drawn('Slice', 'drawn boxes', boxes, ({ of, starts, ends, steps }) => [
    use(`${formatShape(of)} from ${formatShape(starts)} to ${formatShape(ends)} by ${formatShape(steps)}`, [of], (x) =>
      fm.slice(x, starts, ends, steps),
    ),
  ]),
  drawn('Pad', 'drawn pads', boxes, ({ of, starts, ends }) => [
    use(`${formatShape(of)} by ${formatShape(starts)}`, [of], (x) => fm.pad(x, starts, ends.map(Math.abs))),
  ]),
  drawn(
    'Concat',
    'drawn parts',
    fc.tuple(axesOf, fc.array(extent, { minLength: 2, maxLength: 4 })),
    ([at, extents]) => {
      const [axis] = at.axes;
      const parts = extents.map((own) => at.of.with(axis, own));
      return [
        use(`${parts.map(formatShape).join(', ')} along ${axis}`, parts, (...tensors) => fm.concat(tensors, axis)),
      ];
    },
  ),
  drawn('Gather', 'drawn axes', fc.tuple(axesOf, shape(0, 2)), ([{ of, axes }, indices]) => {
    const [axis] = axes;
    return [
      {
        what: `${formatShape(indices)} of ${formatShape(of)} along ${axis}`,
        operands: (draw) => [draw.array(of), draw.of('i32').array(indices, [0, of[axis]])],
        formula: (x, i) => fm.gather(x, i, axis),
      },
    ];
  }),
  drawn('MatMul', 'drawn products', products, ([a, b]) => [
    product(`${formatShape(a)} times ${formatShape(b)}`, a, b, fm.matmul, a.at(-1)!),
  ]),
  drawn('Conv', 'drawn convolutions', convolutions, (geometry) => [forward(geometry)]),
  drawn('ConvInputGradient', 'drawn convolutions', convolutions, (geometry) => [byInput(geometry)]),
  drawn('ConvWeightGradient', 'drawn convolutions', convolutions, (geometry) => [byWeight(geometry)]),
];
