import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { assert } from 'chai';
import fc from 'fast-check';
import { grad } from '../src/autodiff/reverse.ts';
import { silu } from '../src/composites/activations.ts';
import { scaledDotProductAttention } from '../src/composites/attention.ts';
import { softmax } from '../src/composites/softmax.ts';
import { CallSite } from '../src/graph/callSite.ts';
import { composite } from '../src/graph/composite.ts';
import { Graph, input } from '../src/graph/graph.ts';
import { apply } from '../src/graph/node.ts';
import { substitute } from '../src/graph/rewrite.ts';
import type { Tensor } from '../src/graph/tensor.ts';
import { trace, bool, f32, f64, i32, u32 } from '../src/graph/trace.ts';
import * as fm from '../src/operators/index.ts';
import { inlineComposites } from '../src/passes/inlineComposites.ts';
import { thrownBy } from './support/thrownBy.ts';

const here = fileURLToPath(import.meta.url);
const source = readFileSync(here, 'utf8').split('\n');

/** The line of this file that a call site or message points to. */
function lineOf(text: string): string {
  const match = /graph\.test\.ts:(\d+):\d+/.exec(text);
  if (!match) throw new Error(`no line of this file in: ${text}`);
  return source[Number(match[1]) - 1].trim();
}

describe('trace', () => {
  it('names ports by their paths in the tree', () => {
    const graph = trace(({ state, t }) => ({ next: [state.x.mul(t), state.k[1]], size: { total: state.k[0].sum() } }), {
      state: { x: f32([2]), k: [f32([3]), f32([4])], absent: undefined },
      t: f32(),
    });
    assert.deepEqual(
      graph.inputs.map(({ name }) => name),
      ['state.x', 'state.k.0', 'state.k.1', 't'],
    );
    assert.deepEqual(
      graph.outputs.map(({ name }) => name),
      ['next.0', 'next.1', 'size.total'],
    );
    assert.deepEqual(graph.output('size.total').shape, []);
    assert.deepEqual(graph.input('state.k.1').shape, [4]);
  });

  it('names a lone input and a lone output', () => {
    const graph = trace((x) => x.exp(), f64([2]));
    assert.deepEqual([graph.inputs[0].name, graph.outputs[0].name], ['input', 'output']);
  });

  it('keeps inputs that nothing uses, and leaves out nodes that no output needs', () => {
    const graph = trace(
      ({ x }) => {
        x.exp();
        return { y: x.neg() };
      },
      { x: f32([1]), unused: f32([1]) },
    );
    assert.lengthOf(graph.inputs, 2);
    assert.deepEqual(
      graph.nodes.map((node) => node.operator.name),
      ['Input', 'Neg'],
    );
  });

  it('refuses results that are not tensors', () => {
    const error = thrownBy(() => trace(({ x }) => ({ y: { z: x, count: 3 as unknown as Tensor } }), { x: f32() }));
    assert.equal(error.code, 'FM_GRAPH');
    assert.match(error.message, /y\.count is a number/);
  });

  it('refuses a tensor of another trace, naming it and the line', () => {
    let stray: Tensor | undefined;
    trace(({ x }) => (stray = x), { x: f32([2]) });
    const error = thrownBy(() => trace(({ y }) => y.add(stray!), { y: f32([2]) }));
    assert.equal(error.code, 'FM_GRAPH');
    assert.match(error.message, /the input 'x' of another trace/);
    assert.include(lineOf(error.message), 'trace(({ x }) => (stray = x)');
  });

  it('refuses two ports of one name, and names that it does not have', () => {
    const x = input('x', f32());
    const port = { name: 'x', tensor: x };
    assert.match(thrownBy(() => new Graph([port, port], [])).message, /Two inputs are named 'x'/);
    assert.match(thrownBy(() => new Graph([port], [port, port])).message, /Two outputs are named 'x'/);
    assert.match(thrownBy(() => new Graph([port], []).input('y')).message, /no input 'y'[^]*one of x/);
    assert.equal(thrownBy(() => new Graph([port], []).output('x')).code, 'FM_GRAPH');
  });
});

describe('the listing of a graph', () => {
  it('has a line a node', () => {
    const graph = trace(
      ({ x, w }) => ({ y: softmax(x.matmul(w)).add(fm.constant([1, 2, 3])), top: fm.slice(x, [0, 0], [1, 4]) }),
      { x: f32([2, 4]), w: f32([4, 3]) },
    );
    assert.equal(
      graph.toString(),
      [
        'graph (x: f32[2, 4], w: f32[4, 3]) {',
        '  %0: f32[2, 3] = MatMul(x, w)',
        '  %1: f32[2, 3] = Softmax(%0) axis=1',
        '  %2: f32[3] = Constant() data=[1, 2, 3] shape=[3] dtype=f32',
        '  %3: f32[2, 3] = Add(%1, %2)',
        '  %4: f32[1, 4] = Slice(x) starts=[0, 0] ends=[1, 4] steps=[1, 1]',
        '  return y = %3, top = %4',
        '}',
      ].join('\n'),
    );
  });

  it('shortens long constants', () => {
    const graph = trace(() => fm.constant(new Float64Array(100)), {});
    assert.include(graph.toString(), 'data=[0, 0, 0, 0, 0, 0, 0, 0, … 100 values]');
  });
});

const build = (formula: (x: Tensor) => Tensor, type = f32([2, 2])): string =>
  trace(({ x }) => formula(x), { x: type }).hash;

const two = (a: Tensor, b: Tensor): Graph => {
  const ports = [a, b].map((tensor, i) => ({ name: `${i}`, tensor }));
  return new Graph(ports, [{ name: 'y', tensor: a.sub(b) }]);
};

const hashOfConstant = (data: Float64Array): string => trace(() => fm.constant(data, 'f64'), {}).hash;

describe('the hash of a graph', () => {
  it('is equal for equal programs, wherever they were written', () => {
    const first = build((x) => silu(x.matmul(x)).add(fm.constant([1, 2])));
    const second = build((x) => silu(x.matmul(x)).add(fm.constant([1, 2])));
    assert.equal(first, second);
    assert.match(first, /^[0-9a-f]{32}$/);
  });

  it('is equal whether or not a composite was used before', () => {
    const unused = composite('TestUnused', ([x]) => x.mul(2).add(x.sub(3)));
    const derivative = (): string => build((x) => grad((at: Tensor) => unused([at], {})[0].mul(at).sum(), x));
    assert.equal(derivative(), derivative());
  });

  it('differs where anything that is computed differs', () => {
    const double = composite('TestScale', ([x]) => x.mul(2));
    const triple = composite('TestScale', ([x]) => x.mul(3));
    const [a, b] = [input('a', f32()), input('b', f32())];
    const hashes = {
      add: build((x) => x.add(x)),
      mul: build((x) => x.mul(x)),
      attribute: build((x) => x.sum(0).expand([2, 2])),
      otherAttribute: build((x) => x.sum(1).expand([2, 2])),
      constant: build((x) => x.mul(0)),
      negativeZero: build((x) => x.mul(-0)),
      padding: build((x) => fm.pad(x, [1, 0], [0, 0], 0)),
      negativePadding: build((x) => fm.pad(x, [1, 0], [0, 0], -0)),
      infinitePadding: build((x) => fm.pad(x, [1, 0], [0, 0], Infinity)),
      otherInfinitePadding: build((x) => fm.pad(x, [1, 0], [0, 0], -Infinity)),
      shape: build((x) => x.add(x), f32([2, 3])),
      dtype: build((x) => x.add(x), f64([2, 2])),
      inputName: trace(({ z }) => z.add(z), { z: f32([2, 2]) }).hash,
      outputName: trace(({ x }) => ({ z: x.add(x) }), { x: f32([2, 2]) }).hash,
      unusedInput: trace(({ x }) => x.add(x), { x: f32([2, 2]), z: f32() }).hash,
      composite: build((x) => double([x], {})[0]),
      compositeOfOneName: build((x) => triple([x], {})[0]),
      portName: new Graph([{ name: 'a', tensor: a }], [{ name: 'y', tensor: a.neg() }]).hash,
      otherPortName: new Graph([{ name: 'b', tensor: a }], [{ name: 'y', tensor: a.neg() }]).hash,
      order: two(a, b).hash,
      otherOrder: new Graph(
        [
          { name: '0', tensor: a },
          { name: '1', tensor: b },
        ],
        [{ name: 'y', tensor: b.sub(a) }],
      ).hash,
    };
    assert.lengthOf(new Set(Object.values(hashes)), Object.keys(hashes).length, JSON.stringify(hashes, undefined, 1));
  });

  it('covers every byte of a constant', () => {
    const length = 100;
    const plain = hashOfConstant(new Float64Array(length));
    const position = fc.integer({ min: 0, max: length - 1 });
    fc.assert(
      fc.property(position, position, fc.double({ noNaN: true }), (i, j, value) => {
        fc.pre(i !== j && !Object.is(value, 0));
        const at = (index: number): string => hashOfConstant(new Float64Array(length).fill(value, index, index + 1));
        assert.notEqual(at(i), plain);
        assert.notEqual(at(i), at(j));
      }),
      { numRuns: 50 },
    );
  });

  it('does not depend on the order in which attributes are written', () => {
    const operator = { name: 'TestAttributes', infer: ([x]: readonly Tensor[]) => [x] };
    const hashWith = (attributes: Record<string, number>): string =>
      build((x) => apply(operator as never, [x], attributes)[0]);
    assert.equal(hashWith({ a: 1, b: 2 }), hashWith({ b: 2, a: 1 }));
    assert.notEqual(hashWith({ a: 1, b: 2 }), hashWith({ a: 2, b: 1 }));
  });
});

describe('misuse of an operator', () => {
  it('names the operator, its operands and the line that wrote it', () => {
    const error = thrownBy(() =>
      trace(
        ({ x, y }) => {
          const doubled = x.mul(2);
          return doubled.add(y); // does not fit
        },
        { x: f32([2, 3]), y: f32([4]) },
      ),
    );
    assert.equal(error.code, 'FM_SHAPE');
    assert.match(error.message, /Add\(f32\[2, 3\], f32\[4\]\)[^]*\[2, 3\] and \[4\] do not broadcast/);
    assert.include(lineOf(error.message), 'does not fit');
    assert.include(lineOf(String(error.callSite)), 'does not fit');
  });

  it('points into the formula that called a composite, not into this package', () => {
    const error = thrownBy(() =>
      trace(({ x }) => scaledDotProductAttention(x, x, x.slice(3, 0, 2).reshape([1, 1, 2, 4])), {
        x: f32([1, 1, 4, 4]),
      }),
    );
    assert.equal(error.code, 'FM_SHAPE');
    assert.include(lineOf(error.message), 'scaledDotProductAttention(x, x, x.slice');
  });

  const x = input('x', f32([2, 3]));
  const n = input('n', i32([2]));
  const image = input('image', f32([1, 2, 4, 4]));
  const key = input('key', u32([2]));
  const misuses: Record<string, readonly [code: string, action: () => unknown]> = {
    'products of matrices that do not fit': ['FM_SHAPE', () => x.matmul(x)],
    'operands of two dtypes': ['FM_DTYPE', () => x.add(input('d', f64([2, 3])))],
    'an exponential of integers': ['FM_DTYPE', () => n.exp()],
    'arithmetic of booleans': ['FM_DTYPE', () => input('b', bool([2])).add(input('c', bool([2])))],
    'a condition that is not bool': ['FM_DTYPE', () => fm.where(n, x, x)],
    'a shape of another size': ['FM_SHAPE', () => x.reshape([4])],
    'a shape with a hole that does not come out': ['FM_SHAPE', () => x.reshape([4, -1])],
    'a shape with two holes': ['FM_SHAPE', () => x.reshape([-1, -1])],
    'a permutation that repeats': ['FM_OPTION', () => x.transpose([0, 0])],
    'a permutation that is too short': ['FM_OPTION', () => x.transpose([0])],
    'an axis that does not exist': ['FM_OPTION', () => x.sum(2)],
    'an axis named twice': ['FM_OPTION', () => x.sum([1, -1])],
    'an expansion that shrinks': ['FM_SHAPE', () => x.expand([2, 1])],
    'joining what does not fit': ['FM_SHAPE', () => fm.concat([x, input('y', f32([3, 3]))], 1)],
    'joining nothing': ['FM_OPTION', () => fm.concat([], 0)],
    'a slice that does not move': ['FM_OPTION', () => x.slice(0, 0, 1, 0)],
    'a slice of another rank': ['FM_OPTION', () => fm.slice(x, [0], [1])],
    'negative padding': ['FM_OPTION', () => fm.pad(x, [-1, 0], [0, 0])],
    'float indices': ['FM_DTYPE', () => fm.gather(x, x)],
    'updates of the wrong shape': ['FM_SHAPE', () => fm.scatterAdd(x, n, x, 1)],
    'a range that does not move': ['FM_OPTION', () => fm.range(0, 1, 0)],
    'a ragged constant': ['FM_SHAPE', () => fm.constant([[1, 2], [3]])],
    'a constant that does not fill its shape': ['FM_SHAPE', () => fm.constant([1, 2], 'f32', [3])],
    'a negative extent': ['FM_SHAPE', () => input('z', f32([-1]))],
    'a convolution of the wrong rank': ['FM_SHAPE', () => fm.conv2d(x, x)],
    'a convolution of the wrong depth': ['FM_SHAPE', () => fm.conv2d(image, input('w', f32([3, 3, 1, 1])))],
    'a kernel larger than the image': ['FM_SHAPE', () => fm.conv2d(image, input('w', f32([3, 2, 5, 5])))],
    'a stride of 0': ['FM_OPTION', () => fm.conv2d(image, input('w', f32([3, 2, 1, 1])), { stride: 0 })],
    'random bits of a short counter': ['FM_SHAPE', () => fm.randomBits(key, key, [2])],
    'random bits of a float key': ['FM_DTYPE', () => fm.randomBits(x, key, [2])],
  };
  for (const [name, [code, action]] of Object.entries(misuses)) {
    it(`refuses ${name}, naming the line`, () => {
      const error = thrownBy(action);
      assert.equal(error.code, code);
      assert.include(lineOf(error.message), '() =>');
    });
  }
});

const siteOf = (graph: Graph, name: string): string => {
  const node = graph.nodes.find(({ operator }) => operator.name === name);
  if (!node) throw new Error(`no ${name} in\n${graph.toString()}`);
  return lineOf(node.callSite.toString());
};

const sumOfSines = (at: Tensor): Tensor => {
  const wave = at.sin(); // the sine
  return wave.sum();
};

describe('call sites', () => {
  it('of derivatives are those of the forward formula', () => {
    const graph = trace(({ x }) => grad(sumOfSines, x), { x: f32([2]) });
    assert.include(siteOf(graph, 'Cos'), 'the sine');
  });

  it('of an inlined composite are those of whoever used it, though its body is shared', () => {
    const smooth = composite('TestSmooth', ([x]) => x.tanh().mul(x));
    trace(({ x }) => smooth([x], {})[0], { x: f32([7]) }); // builds the body
    const graph = trace(({ x }) => smooth([x], {})[0].neg(), { x: f32([7]) }); // uses it again
    assert.include(siteOf(inlineComposites(graph), 'Tanh'), 'uses it again');
    const slope = trace(({ x }) => grad((at: Tensor) => smooth([at], {})[0].sum(), x), { x: f32([7]) }); // differentiates it
    assert.include(siteOf(slope, 'Tanh'), 'differentiates it');
  });

  it('may be set from outside', () => {
    const site = CallSite.capture(); // taken here
    const x = CallSite.with(site, () => input('x', f32()));
    const after = input('y', f32());
    assert.include(lineOf(x.node.callSite.toString()), 'taken here');
    assert.include(lineOf(after.node.callSite.toString()), "input('y'");
  });
});

const names = (inlined: Graph): string[] => inlined.nodes.map(({ operator }) => operator.name);

describe('inlining of composites', () => {
  const nested = composite('TestNested', ([x]) => silu(x).add(softmax(x)));
  const graph = trace(({ x }) => nested([x], {})[0], { x: f32([3]) });
  it('leaves primitives only', () => {
    const inlined = inlineComposites(graph);
    assert.isTrue(inlined.nodes.every(({ operator }) => operator.body === undefined));
    assert.includeMembers(names(inlined), ['Sigmoid', 'Exp', 'ReduceMax']);
  });

  it('keeps those it is told to, inside others too', () => {
    const inlined = names(inlineComposites(graph, ({ operator }) => operator.name === 'Softmax'));
    assert.include(inlined, 'Softmax');
    assert.notInclude(inlined, 'Silu');
    assert.notInclude(inlined, 'TestNested');
  });

  it('leaves ports as they are', () => {
    const inlined = inlineComposites(graph);
    assert.deepEqual(inlined.inputs, graph.inputs);
    assert.deepEqual(inlined.outputs[0].tensor.shape, [3]);
  });
});

describe('substitution', () => {
  it('computes a graph from other inputs, without touching it', () => {
    const inner = trace(({ x, y }) => ({ a: x.add(y), b: y }), { x: f32(), y: f32() });
    const before = inner.toString();
    const outer = trace(({ p }) => substitute(inner, [p.exp(), p]), { p: f32() });
    assert.equal(
      outer.toString(),
      ['graph (p: f32[]) {', '  %0: f32[] = Exp(p)', '  %1: f32[] = Add(%0, p)', '  return 0 = %1, 1 = p', '}'].join(
        '\n',
      ),
    );
    assert.equal(inner.toString(), before);
  });
});
