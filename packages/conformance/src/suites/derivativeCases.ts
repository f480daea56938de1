import { hostArray, type HostArray, type HostRandomStream, type Tensor } from '@flow-matching/tensor';
import { graphOf, referenceOf, runGraph } from '../case/agreement.ts';
import type { CaseContext, ConformanceCase } from '../case/conformanceCase.ts';
import { bounded, leastNormal } from '../case/limit.ts';
import { compareArrays, compareNumbers } from '../case/measurement.ts';
import { centralDifference, differenceError } from '../derivatives/centralDifference.ts';
import { differentiables, type Differentiable } from '../derivatives/differentiables.ts';
import { innerProduct } from '../derivatives/innerProduct.ts';
import { tails, type Tail } from '../derivatives/tails.ts';
import { backward, decomposed, forward, forwardOverReverse } from '../derivatives/modes.ts';
import { roundingEffect } from '../rounding/roundingEffect.ts';

/** Limits are this multiple of the effect of roundings: elementary functions of libraries are off by some units, sums by their length. */
const margin = 8;

/**
 * Level 3: a formula's value, J·v, Jᵀ·u and the derivative of Jᵀ·u along v, in f32 on the backend. Expected values are computed
 * in f64 without the rules of the formula's composites: fourth-order differences for J·v and the second derivative, reverse
 * mode through the decomposition for Jᵀ·u; and ⟨u, J·v⟩ = ⟨Jᵀ·u, v⟩.
 *
 * @param list the formulas to differentiate, by default every differentiable operator and composite. Authors of others pass
 *   their own.
 */
export const derivativeCases = (list: readonly Differentiable[] = differentiables): readonly ConformanceCase[] =>
  list.map((testCase) => ({
    id: `L3/${testCase.name}/f32`,
    level: 3,
    dtype: 'f32',
    claim: `${testCase.name}: J·v, Jᵀ·u and forward over reverse are the derivatives of the value, and adjoint to one another`,
    run: (context) => checkDerivatives(testCase, context),
  }));

/** Level 3 in the tails: J·v and Jᵀ·u of functions of one variable, relative to the derivative itself. */
export const tailCases = (list: readonly Tail[] = tails): readonly ConformanceCase[] =>
  list.map((tail) => ({
    id: `L3/${tail.name}/f32/tails`,
    level: 3,
    dtype: 'f32',
    claim: `${tail.name}: the derivative keeps its digits where it is small or large`,
    run: (context) => checkTail(tail, context),
  }));

async function checkTail({ formula, derivative, at, roundings }: Tail, context: CaseContext): Promise<void> {
  const x = hostArray(Float32Array.from(at));
  const one = hostArray(new Float32Array(at.length).fill(1));
  const single = (...[point]: Tensor[]): Tensor => formula(point);
  const named = { x0: x, x1: one };
  const graph = graphOf((point, v) => [...forward(single)(point, v), ...backward(single)(point, v)], [x, one]);
  const [along, against] = Object.values(await runGraph(context, graph, named));
  const exact = { data: Array.from(x.data, derivative), shape: x.shape, dtype: 'f32' as const };
  const bounds = Float64Array.from(
    exact.data,
    (value, i) => roundings(x.data[i]) * 2 ** -24 * Math.abs(value) + leastNormal('f32'),
  );
  const limit = bounded(bounds, 'the roundings of the functions that the rule is made of, relative to the derivative');
  for (const [what, result] of [
    ['J·v', along],
    ['Jᵀ·u', against],
  ] as const)
    context.measure(compareArrays(what, result, exact, limit, (i) => `x = ${x.data[i]}`));
}

async function checkDerivatives({ formula, at }: Differentiable, context: CaseContext): Promise<void> {
  const xs = at.map(inSingle);
  const vs = xs.map((x) => directionLike(x, context.random));
  const [value] = referenceOf(formula, xs);
  const u = directionLike(value, context.random);
  const count = xs.length;
  const all = (...args: Tensor[]): Tensor[] => {
    const [points, directions, [weight]] = [args.slice(0, count), args.slice(count, -1), args.slice(-1)];
    return [
      formula(...points),
      ...forward(formula)(...points, ...directions),
      ...backward(formula)(...points, weight),
      ...forwardOverReverse(formula)(...points, ...directions, weight),
    ];
  };
  const inputs = [...xs, ...vs, u];
  const graph = graphOf(all, inputs);
  const named = Object.fromEntries(inputs.map((array, i) => [`x${i}`, array]));
  const results = Object.values(await runGraph(context, graph, named));

  const plain = decomposed(formula, xs);
  const pullback = (points: readonly HostArray[]): HostArray[] => referenceOf(backward(plain), [...points, u]);
  const expected = [
    value,
    ...centralDifference((points) => referenceOf(plain, points), xs, vs),
    ...pullback(xs),
    ...centralDifference(pullback, xs, vs),
  ];
  const effects = Object.values(await roundingEffect(graph, named, context.random));
  const allowances = expected.map(({ data }, i) => {
    const differenced = i === 1 || i > 1 + count;
    return Float64Array.from(data, (wanted, j) => {
      const own = margin * effects[i][j] + leastNormal('f32');
      return differenced ? own + differenceError * Math.max(1, Math.abs(wanted)) : own;
    });
  });
  const because = `${margin} times the effect of a unit round-off of f32 at random in every result, differences within ${differenceError}`;
  const names = [
    'the value',
    'J·v',
    ...xs.map((_, i) => `Jᵀ·u by x${i}`),
    ...xs.map((_, i) => `the second derivative by x${i}`),
  ];
  expected.forEach((wanted, i) =>
    context.measure(compareArrays(names[i], results[i], wanted, bounded(allowances[i], because))),
  );

  const cotangents = results.slice(2, 2 + count);
  const slack =
    innerProduct([magnitudes(u)], [{ data: allowances[1] }]) +
    innerProduct(
      vs.map(magnitudes),
      allowances.slice(2, 2 + count).map((data) => ({ data })),
    );
  context.measure(
    compareNumbers(
      '⟨Jᵀ·u, v⟩ beside ⟨u, J·v⟩',
      innerProduct(cotangents, vs),
      innerProduct([u], [results[1]]),
      bounded([slack], 'what the limits of J·v and Jᵀ·u amount to'),
    ),
  );
}

/** Rounded to f32, so that every backend and the reference get the same values. */
const inSingle = ({ data, shape }: HostArray): HostArray => hostArray(Float32Array.from(data), shape, 'f32');

const directionLike = ({ shape }: HostArray, random: HostRandomStream): HostArray => inSingle(random.normal(shape));

const magnitudes = ({ data }: HostArray): { data: Float64Array } => ({ data: Float64Array.from(data, Math.abs) });
