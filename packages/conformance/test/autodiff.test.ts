import * as fm from '@flow-matching/tensor';
import { HostRandomStream, hostArray, type HostArray, type Operator } from '@flow-matching/tensor';
import { assert } from 'chai';
import { graphOf, referenceOf } from '../src/case/agreement.ts';
import { close } from '../src/case/limit.ts';
import { compareArrays } from '../src/case/measurement.ts';
import { centralDifference, differenceError } from '../src/derivatives/centralDifference.ts';
import { differentiables } from '../src/derivatives/differentiables.ts';
import { innerProduct } from '../src/derivatives/innerProduct.ts';
import { backward, decomposed, forward, forwardOverReverse, reverseOverForward } from '../src/derivatives/modes.ts';

const likeEach = (arrays: readonly HostArray[], seed: number): HostArray[] =>
  arrays.map(({ shape }, i) => hostArray(Float64Array.from(new HostRandomStream(seed + i).normal(shape).data), shape));

function near(actual: readonly HostArray[], expected: readonly HostArray[], within: number, what: string): void {
  const limit = close(within, within, what);
  expected.forEach((wanted, i) =>
    assert.isAtMost(compareArrays(what, actual[i], wanted, limit).ratio, 1, `${what}, output ${i}`),
  );
}

describe('automatic differentiation', () => {
  for (const { name, formula, at } of differentiables) {
    it(name, () => {
      const vs = likeEach(at, 100);
      const [u] = likeEach(referenceOf(formula, at), 200);
      const plain = decomposed(formula, at);
      const pullback = (point: readonly HostArray[]): HostArray[] => referenceOf(backward(formula), [...point, u]);

      const tangents = referenceOf(forward(formula), [...at, ...vs]);
      const differences = centralDifference((point) => referenceOf(formula, point), at, vs);
      near(tangents, differences, differenceError, 'forward mode against differences');

      const cotangents = pullback(at);
      const pairing = innerProduct([u], tangents);
      const adjoint = innerProduct(cotangents, vs);
      assert.isAtMost(Math.abs(pairing - adjoint), 1e-12 * (1 + Math.abs(pairing)), '⟨u, Jv⟩ = ⟨Jᵀu, v⟩');

      const second = referenceOf(forwardOverReverse(formula), [...at, ...vs, u]);
      const expected = centralDifference(pullback, at, vs);
      near(second, expected, differenceError, 'forward over reverse against differences');
      near(referenceOf(reverseOverForward(formula), [...at, ...vs, u]), second, 1e-11, 'reverse over forward');

      near(referenceOf(forward(plain), [...at, ...vs]), tangents, 1e-12, 'forward mode of the decompositions');
      near(referenceOf(backward(plain), [...at, u]), cotangents, 1e-12, 'reverse mode of the decompositions');
    });
  }

  describe('covers', () => {
    const used = new Set(
      differentiables.flatMap(({ formula, at }) => graphOf(formula, at).nodes.map((node) => node.operator.name)),
    );
    const records = Object.values<unknown>(fm).filter(
      (value): value is Operator =>
        typeof value === 'object' && value !== null && 'infer' in value && !('body' in value),
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

    it('except these', () => {
      const names = records
        .filter((record) => record.vjp === undefined && record.jvp === undefined && record.name !== 'Input')
        .map(({ name }) => name);
      const integral = ['And', 'Constant', 'Equal', 'IsNaN', 'Less', 'LessOrEqual', 'Not', 'Or', 'RandomBits', 'Range'];
      assert.sameMembers(names, [...integral, 'Floor', 'Round', 'Sign', 'StopGradient']);
    });

    it('every composite of floats', () => {
      const named = Object.values<unknown>(fm).flatMap((value) =>
        typeof value === 'function' && 'operator' in value ? [(value.operator as Operator).name] : [],
      );
      const expected = [...named, 'Relu', 'Silu', 'Softplus'].filter((name) => !name.startsWith('Random'));
      assert.includeMembers([...used], expected);
      assert.isAbove(expected.length, 12);
    });
  });
});
