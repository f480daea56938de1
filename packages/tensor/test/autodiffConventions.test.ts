import { assert } from 'chai';
import { jvp, pushforward } from '../src/autodiff/forward.ts';
import { grad, pullback, valueAndGrad, vjp } from '../src/autodiff/reverse.ts';
import { scaledDotProductAttention } from '../src/composites/attention.ts';
import { logSoftmax, logSumExp, softmax } from '../src/composites/softmax.ts';
import { Graph } from '../src/graph/graph.ts';
import { substitute } from '../src/graph/rewrite.ts';
import { inlineComposites } from '../src/passes/inlineComposites.ts';
import { relu } from '../src/composites/activations.ts';
import { composite } from '../src/graph/composite.ts';
import type { Tensor } from '../src/graph/tensor.ts';
import { trace, f64, i32 } from '../src/graph/trace.ts';
import * as fm from '../src/operators/index.ts';
import { evaluateGraph } from '../src/reference/evaluateGraph.ts';
import { hostArray, type HostArray } from '../src/tensor/hostArray.ts';
import { evaluate, graphOf, normals, numbers } from './support/numeric.ts';
import { thrownBy } from './support/thrownBy.ts';

const vector = (...values: number[]): HostArray => hostArray(Float64Array.from(values));

/** The gradient of the formula's sum, at one point. */
const slope = (formula: (x: Tensor) => Tensor, at: HostArray): number[] =>
  numbers((x) => grad((v: Tensor) => formula(v).sum(), x), [at]);

const pick = (x: Tensor, other: Tensor): Tensor => fm.where(fm.constant([1, 0], 'bool'), x, other);

const alongSquare = (x: Tensor): Tensor => {
  const square = x.square();
  return pushforward([square.mul(x)], [x, square], [undefined, fm.onesLike(x)])[0]!;
};

describe('conventions of differentiation', () => {
  it('elements that tie for an extremum share it equally', () => {
    assert.deepEqual(
      slope((x) => x.max(), vector(1, 3, 3, 2)),
      [0, 0.5, 0.5, 0],
    );
    assert.deepEqual(
      slope((x) => x.min(), vector(1, 1, 1, 2)),
      [1 / 3, 1 / 3, 1 / 3, 0],
    );
    assert.deepEqual(
      slope((x) => fm.maximum(x, 1), vector(0, 1, 2)),
      [0, 0.5, 1],
    );
    assert.deepEqual(
      slope((x) => fm.minimum(x, x), vector(3)),
      [1],
    );
    const [tangent] = evaluate(
      (x, v) => jvp((at) => [at.max()], [x], [v]).tangents,
      [vector(3, 3, 1), vector(1, 2, 10)],
    );
    assert.deepEqual([...tangent.data], [1.5]);
  });

  it('expm1 has the slope exp(x) with all digits where exp(x) − 1 has lost them', () => {
    const at = [-700, -40, -9, 0, 2];
    const derivatives = [
      slope(fm.expm1, vector(...at)),
      numbers((x) => jvp((v) => [fm.expm1(v)], [x], [fm.onesLike(x)]).tangents[0], [vector(...at)]),
      slope((x) => grad((v: Tensor) => fm.expm1(v).sum(), x), vector(...at)),
    ];
    for (const values of derivatives)
      values.forEach((value, i) => assert.approximately(value / Math.exp(at[i]), 1, 1e-12));
  });

  it('relu and abs have slope 0 at 0', () => {
    assert.deepEqual(slope(relu, vector(-1, 0, 1)), [0, 0, 1]);
    assert.deepEqual(slope(fm.abs, vector(-1, 0, 1)), [-1, 0, 1]);
  });

  it('powers have finite slopes where the base or the exponent is 0', () => {
    assert.deepEqual(
      slope((x) => fm.pow(x, 2), vector(0, -3)),
      [0, -6],
    );
    assert.deepEqual(
      slope((x) => fm.pow(x, 0), vector(0, 2)),
      [0, 0],
    );
    assert.deepEqual(
      slope((e) => fm.pow(0, e), vector(2)),
      [0],
    );
  });

  it('where selects derivatives, so that a NaN stays in the branch that is not taken', () => {
    const [dx, dOther] = evaluate(
      (x, other) => vjp((...at) => [pick(at[0], at[1])], [x, other]).pullback([fm.constant([2, 3], 'f64')]),
      [vector(1, NaN), vector(Infinity, 5)],
    );
    assert.deepEqual(
      [[...dx.data], [...dOther.data]],
      [
        [2, 0],
        [0, 3],
      ],
    );
    const [tangent] = evaluate(
      (x, v, w) => jvp((at, other) => [pick(at, other)], [x, x], [v, w]).tangents,
      [vector(1, 2), vector(7, NaN), vector(Infinity, 8)],
    );
    assert.deepEqual([...tangent.data], [7, 8]);
    // Forward mode also survives an infinite slope there.
    const [root] = evaluate(
      (x, v) => jvp((at) => [fm.where(fm.greater(at, 0), at.sqrt(), 0)], [x], [v]).tangents,
      [vector(4, 0), vector(1, 1)],
    );
    assert.deepEqual([...root.data], [0.25, 0]);
  });

  it('stopGradient is a constant to both modes', () => {
    assert.deepEqual(
      slope((x) => x.mul(fm.stopGradient(x)), vector(2, 3)),
      [2, 3],
    );
    const [tangent] = evaluate(
      (x, v) => jvp((at) => [fm.stopGradient(at).mul(3)], [x], [v]).tangents,
      [vector(2), vector(1)],
    );
    assert.deepEqual([...tangent.data], [0]);
  });

  it('no derivative flows through integers and comparisons', () => {
    assert.deepEqual(
      slope((x) => x.mul(x.cast('i32').cast('f64')).add(fm.greater(x, 2).cast('f64')), vector(1.5, 2.5)),
      [1, 2],
    );
  });

  it('a source that another one is computed from is a variable of its own', () => {
    const graph = graphOf(
      (x) => {
        const square = x.square();
        const y = square.mul(x);
        return pullback([y], [fm.onesLike(y)], [x, square]).map((flow) => flow!);
      },
      [vector(3)],
    );
    const results = evaluateGraph(graph, { 0: vector(3) });
    assert.deepEqual([results['0'].data[0], results['1'].data[0]], [9, 3]);
    assert.deepEqual(numbers(alongSquare, [vector(3)]), [3]);
  });

  it('pullback may be called twice', () => {
    const results = evaluate(
      (x) => {
        const { pullback: pull } = vjp((at) => [at.square()], [x]);
        return [...pull([fm.constant([1], 'f64')]), ...pull([fm.constant([10], 'f64')])];
      },
      [vector(3)],
    );
    assert.deepEqual(
      results.map(({ data }) => data[0]),
      [6, 60],
    );
  });

  it('a zero direction, and an output that does not depend on the input, give zeros', () => {
    const [still, moving] = evaluate(
      (x, y, v) => jvp((a, b) => [a.mul(2), a.mul(b)], [x, y], [undefined, v]).tangents,
      [vector(3), vector(4), vector(5)],
    );
    assert.deepEqual([still.data[0], moving.data[0]], [0, 15]);
    assert.deepEqual(
      slope(() => fm.constant([1, 2], 'f64'), vector(3, 4)),
      [0, 0],
    );
  });
});

describe('composites under differentiation', () => {
  it('attention with a fully masked row makes no NaN, forward or backward', () => {
    const hidden = fm.constant(
      [
        [1, 0],
        [0, 0],
      ],
      'bool',
    );
    const x = normals([1, 1, 2, 2], 1);
    for (const mask of [hidden, fm.where(hidden, fm.constant(0, 'f64'), -Infinity)]) {
      const gradient = inlineComposites(
        graphOf((at) => [grad((v: Tensor) => scaledDotProductAttention(v, v, v, { mask }).square().sum(), at)], [x]),
      );
      const everything = gradient.nodes.map(({ outputs: [tensor] }, i) => ({ name: `${i}`, tensor }));
      const values = Object.values(evaluateGraph(new Graph(gradient.inputs, everything), { 0: x }));
      assert.isAbove(values.length, 50);
      assert.isFalse(values.some(({ data }) => data.some((value) => Number.isNaN(value))));
    }
  });

  it('softmax is not differentiated through its shift', () => {
    for (const smooth of [softmax, logSoftmax, logSumExp]) {
      const plain = inlineComposites(graphOf((x) => [smooth(x, 0)], [vector(1, 2)]));
      const slopes = graphOf((x) => [grad((v: Tensor) => substitute(plain, [v])[0].square().sum(), x)], [vector(1, 2)]);
      // The derivative of a maximum compares it with what it was taken over.
      const peaks = slopes.nodes
        .filter(({ operator }) => operator.name === 'ReduceMax')
        .flatMap(({ outputs }) => outputs);
      const spread = slopes.nodes.filter(
        ({ operator, inputs }) => operator.name === 'Expand' && peaks.includes(inputs[0].node.inputs[0]),
      );
      assert.lengthOf(peaks, 1);
      assert.isEmpty(spread);
    }
  });

  const product = composite('TestProduct', ([a, b]) => a.mul(b));
  const both = composite('TestSumAndProduct', ([a, b]) => [a.add(b), a.mul(b)]);

  it('tell apart two uses of one tensor', () => {
    assert.deepEqual(
      slope((x) => product([x, x], {})[0], vector(3, 5)),
      [6, 10],
    );
    assert.deepEqual(
      slope((x) => product([x, product([x, x], {})[0]], {})[0], vector(2)),
      [12],
    );
  });

  it('may have several outputs, of which some are used', () => {
    assert.deepEqual(
      slope((x) => both([x, x.mul(2)], {})[1], vector(3)),
      [12],
    );
    assert.deepEqual(
      slope((x) => fm.mul(...(both([x, x.mul(2)], {}) as [Tensor, Tensor])), vector(1)),
      [18],
    );
    const [tangent] = evaluate(
      (x, v) => jvp((at) => [both([at, at], {})[1]], [x], [v]).tangents,
      [vector(3), vector(2)],
    );
    assert.deepEqual([...tangent.data], [12]);
  });
});

describe('valueAndGrad', () => {
  type Layer = { readonly weight: Tensor; readonly bias?: Tensor | undefined };

  it('refuses parameters that names cannot tell apart', () => {
    const ambiguous = () =>
      trace(({ x, y }) => valueAndGrad((at) => at['a.b'].mul(2).add(at.a.b), { 'a.b': x, a: { b: y } }).gradient, {
        x: f64(),
        y: f64(),
      });
    assert.equal(thrownBy(ambiguous).code, 'FM_GRAPH');
  });

  it('gives the gradient in the nesting of the parameters', () => {
    const graph = trace(
      ({ parameters, x }) =>
        valueAndGrad<{ readonly layers: readonly Layer[]; readonly unused: Tensor }>(
          ({ layers: [first, second] }) => x.mul(first.weight).add(first.bias!).mul(second.weight).sum(),
          parameters,
        ),
      {
        parameters: {
          layers: [
            { weight: f64(), bias: f64([2]) },
            { weight: f64(), bias: undefined },
          ],
          unused: f64([3]),
        },
        x: f64([2]),
      },
    );
    assert.deepEqual(
      graph.outputs.map(({ name }) => name),
      ['value', 'gradient.layers.0.weight', 'gradient.layers.0.bias', 'gradient.layers.1.weight', 'gradient.unused'],
    );
    const results = evaluateGraph(graph, {
      'parameters.layers.0.weight': hostArray(Float64Array.of(2), []),
      'parameters.layers.0.bias': vector(1, 1),
      'parameters.layers.1.weight': hostArray(Float64Array.of(10), []),
      'parameters.unused': vector(1, 2, 3),
      x: vector(3, 4),
    });
    const values = Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, [...data]]));
    assert.deepEqual(values, {
      value: [160],
      'gradient.layers.0.weight': [70],
      'gradient.layers.0.bias': [10, 10],
      'gradient.layers.1.weight': [16],
      'gradient.unused': [0, 0, 0],
    });
  });

  it('refuses values that are not scalars, naming the line that made them', () => {
    const error = thrownBy(() => trace(({ x }) => grad((at: Tensor) => at.mul(2), x), { x: f64([2]) }));
    assert.equal(error.code, 'FM_DIFFERENTIATION');
    assert.match(error.message, /f64\[2\][^]*autodiffConventions\.test\.ts/);
  });

  it('refuses leaves that are not floats, naming them', () => {
    const error = thrownBy(() => trace(({ p }) => grad((at) => at.n.cast('f64').sum(), p), { p: { n: i32([2]) } }));
    assert.equal(error.code, 'FM_DIFFERENTIATION');
    assert.match(error.message, /'n' is i32\[2\]/);
  });
});
