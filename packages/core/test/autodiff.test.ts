import { assert } from 'chai';
import { jvp } from '../src/autodiff/forward.ts';
import { vjp } from '../src/autodiff/reverse.ts';
import * as composites from '../src/composites/index.ts';
import type { Operator } from '../src/graph/operator.ts';
import { substitute } from '../src/graph/rewrite.ts';
import type { Tensor } from '../src/graph/tensor.ts';
import * as operators from '../src/operators/index.ts';
import { inlineComposites } from '../src/passes/inlineComposites.ts';
import type { HostArray } from '../src/tensor/hostArray.ts';
import { differentiables, type Differentiable } from './support/differentiables.ts';
import { distance, evaluate, graphOf, inner, moved, normals, run } from './support/numeric.ts';

type Single = Differentiable['formula'];

/** Step of central differences of fourth order: their error is about step⁴, their rounding 1e-16 / step. */
const step = 2e-4;
const tolerance = 1e-9;

const likeEach = (arrays: readonly HostArray[], seed: number): HostArray[] =>
  arrays.map(({ shape }, i) => normals(shape, seed + i));

/** (x…, v…) → J·v. */
const forward =
  (formula: Single) =>
  (...args: Tensor[]): Tensor[] => {
    const [xs, vs] = halves(args);
    return jvp((...at) => [formula(...at)], xs, vs).tangents;
  };

/** (x…, u) → Jᵀ·u. */
const backward =
  (formula: Single) =>
  (...args: Tensor[]): Tensor[] =>
    vjp((...at) => [formula(...at)], args.slice(0, -1)).pullback(args.slice(-1));

const halves = (args: readonly Tensor[]): [Tensor[], Tensor[]] => [
  args.slice(0, args.length / 2),
  args.slice(args.length / 2),
];

/** (x…, v…, u) → the derivative of Jᵀ·u along v, forward over reverse. */
const forwardOverReverse =
  (formula: Single) =>
  (...args: Tensor[]): Tensor[] => {
    const [xs, vs] = halves(args.slice(0, -1));
    return jvp((...at) => backward(formula)(...at, args.at(-1)!), xs, vs).tangents;
  };

/** (x…, v…, u) → the gradient of ⟨u, J·v⟩, reverse over forward: the same thing. */
const reverseOverForward =
  (formula: Single) =>
  (...args: Tensor[]): Tensor[] => {
    const [xs, vs] = halves(args.slice(0, -1));
    return vjp((...at) => forward(formula)(...at, ...vs), xs).pullback(args.slice(-1));
  };

/** The formula with its composites taken apart, so that no rule of theirs is used. */
const decomposed =
  (formula: Single, at: readonly HostArray[]): Single =>
  (...xs) =>
    substitute(inlineComposites(graphOf((...inputs) => [formula(...inputs)], at)), xs)[0];

function centralDifference(
  f: (at: readonly HostArray[]) => HostArray[],
  at: readonly HostArray[],
  along: readonly HostArray[],
): HostArray[] {
  const shifted = (by: number): HostArray[] => f(at.map((x, i) => moved(x, by, along[i])));
  const [near, far] = [step, 2 * step].map((by) => ({ above: shifted(by), below: shifted(-by) }));
  const slope = (i: number, j: number): number =>
    (8 * (near.above[i].data[j] - near.below[i].data[j]) - (far.above[i].data[j] - far.below[i].data[j])) / (12 * step);
  return near.above.map(({ data, shape, dtype }, i) => ({
    data: Float64Array.from(data, (_, j) => slope(i, j)),
    shape,
    dtype,
  }));
}

describe('automatic differentiation', () => {
  for (const { name, formula, at } of differentiables) {
    it(name, () => {
      const value = graphOf((...xs) => [formula(...xs)], at);
      const outputs = run(value, at);
      const vs = likeEach(at, 100);
      const [u] = likeEach(outputs, 200);

      const tangents = evaluate(forward(formula), [...at, ...vs]);
      assert.isAtMost(
        distance(
          tangents,
          centralDifference((point) => run(value, point), at, vs),
        ),
        tolerance,
        'forward mode against differences',
      );

      const pullback = graphOf(backward(formula), [...at, u]);
      const cotangents = run(pullback, [...at, u]);
      const pairing = inner([u], tangents);
      assert.isAtMost(Math.abs(pairing - inner(cotangents, vs)), 1e-12 * (1 + Math.abs(pairing)), '⟨u, Jv⟩ = ⟨Jᵀu, v⟩');

      const second = evaluate(forwardOverReverse(formula), [...at, ...vs, u]);
      const expected = centralDifference((point) => run(pullback, [...point, u]), at, vs);
      assert.isAtMost(distance(second, expected), tolerance, 'forward over reverse against differences');
      assert.isAtMost(
        distance(evaluate(reverseOverForward(formula), [...at, ...vs, u]), second),
        1e-11,
        'reverse over forward',
      );

      const plain = decomposed(formula, at);
      assert.isAtMost(
        distance(evaluate(forward(plain), [...at, ...vs]), tangents),
        1e-12,
        "forward mode of the composites' decompositions",
      );
      assert.isAtMost(
        distance(evaluate(backward(plain), [...at, u]), cotangents),
        1e-12,
        "reverse mode of the composites' decompositions",
      );
    });
  }

  describe('covers', () => {
    const used = new Set(
      differentiables.flatMap(({ formula, at }) =>
        graphOf((...xs) => [formula(...xs)], at).nodes.map((node) => node.operator.name),
      ),
    );
    const records = Object.values<unknown>(operators).filter(
      (value): value is Operator => typeof value === 'object' && value !== null && 'infer' in value,
    );

    it('every operator that has a derivative', () => {
      const differentiable = records.filter((record) => record.vjp !== undefined || record.jvp !== undefined);
      assert.includeMembers(
        [...used],
        differentiable.map(({ name }) => name),
      );
      for (const record of differentiable)
        assert.isTrue(record.vjp !== undefined && record.jvp !== undefined, `${record.name} has both modes`);
    });

    it('and these have none', () => {
      const names = records
        .filter((record) => record.vjp === undefined && record.jvp === undefined)
        .map(({ name }) => name);
      const integral = ['And', 'Constant', 'Equal', 'IsNaN', 'Less', 'LessOrEqual', 'Not', 'Or', 'RandomBits', 'Range'];
      assert.sameMembers(names, [...integral, 'Floor', 'Round', 'Sign', 'StopGradient']);
    });

    it('every composite of floats', () => {
      const named = Object.values<unknown>(composites).flatMap((value) =>
        typeof value === 'function' && 'operator' in value ? [(value.operator as Operator).name] : [],
      );
      const expected = [...named, 'Relu', 'Silu', 'Softplus'].filter((name) => !name.startsWith('Random'));
      assert.includeMembers([...used], expected);
      assert.isAbove(expected.length, 12);
    });
  });
});
