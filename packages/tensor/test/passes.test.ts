import {
  add,
  barrier,
  composite,
  concat,
  constant,
  evaluateGraph,
  extractGuard,
  f32,
  hostArray,
  hostRandomNormal,
  identity,
  inlineComposites,
  prepareGraph,
  Random,
  randomNormal,
  silu,
  simplify,
  stopGradient,
  trace,
  u32,
  UnsupportedError,
  where,
  type DType,
  type Graph,
  type Manifest,
  type Node,
} from '@flow-matching/tensor';
import { expect } from 'chai';
import fc from 'fast-check';

const operators = (graph: Graph): string[] =>
  graph.nodes.map((node: Node) => node.operator.name).filter((name) => name !== 'Input');

describe('simplify', () => {
  const cases: [string, () => Graph, string[]][] = [
    ['drops what no output needs', () => trace(({ x }) => (x.exp(), x.neg()), { x: f32([2]) }), ['Neg']],
    [
      'computes a repeated subexpression once',
      () => trace(({ x }) => x.exp().add(x.exp()), { x: f32([2]) }),
      ['Exp', 'Add'],
    ],
    ['folds constants', () => trace(({ x }) => x.mul(constant(2).exp().add(1)), { x: f32([2]) }), ['Constant', 'Mul']],
    ['drops neutral elements', () => trace(({ x }) => x.mul(1).add(0).sub(0).div(1).pow(1), { x: f32([2]) }), []],
    ['keeps x · 0, which may be NaN', () => trace(({ x }) => x.mul(0), { x: f32([2]) }), ['Constant', 'Mul']],
    ['keeps x − x, which may be NaN', () => trace(({ x }) => x.sub(x), { x: f32([2]) }), ['Sub']],
    ['undoes double negation', () => trace(({ x }) => x.neg().neg(), { x: f32([2]) }), []],
    ['turns a + (−b) into a − b', () => trace(({ x, y }) => x.add(y.neg()), { x: f32([2]), y: f32([2]) }), ['Sub']],
    ['squares by a product', () => trace(({ x }) => x.pow(2), { x: f32([2]) }), ['Mul']],
    ['merges scalar factors', () => trace(({ x }) => x.mul(2).mul(3), { x: f32([2]) }), ['Constant', 'Mul']],
    ['composes transpositions', () => trace(({ x }) => x.transpose().transpose(), { x: f32([2, 3]) }), []],
    ['composes reshapes', () => trace(({ x }) => x.reshape([6]).reshape([3, 2]), { x: f32([2, 3]) }), ['Reshape']],
    [
      'leaves broadcasting to elementwise operators',
      () => trace(({ x, y }) => x.expand([4, 3]).add(y), { x: f32([3]), y: f32([4, 3]) }),
      ['Add'],
    ],
    [
      'keeps an expansion that shapes the result',
      () => trace(({ x }) => x.expand([4, 3]).exp(), { x: f32([3]) }),
      ['Expand', 'Exp'],
    ],
    [
      'forgets names and stopped gradients',
      () => trace(({ x }) => stopGradient(identity(x)).exp(), { x: f32([2]) }),
      ['Exp'],
    ],
    [
      'does not merge across barriers',
      () => trace(({ x }) => barrier(x).exp().add(barrier(x).exp()), { x: f32([2]) }),
      ['Barrier', 'Exp', 'Barrier', 'Exp', 'Add'],
    ],
    ['sums an axis of extent one by moving', () => trace(({ x }) => x.sum(1), { x: f32([4, 1]) }), ['Reshape']],
    [
      'joins nothing for one part',
      () => trace(({ x, y }) => concat([x, y], 0), { x: f32([4, 1]), y: f32([0, 1]) }),
      [],
    ],
  ];
  for (const [title, build, expected] of cases) {
    it(title, () => expect(operators(simplify(build()))).to.have.members(expected));
  }

  it('composes permutations in their order', () => {
    const graph = trace(({ x }) => x.transpose([1, 2, 0]).transpose([1, 0, 2]), { x: f32([2, 3, 4]) });
    const simplified = simplify(graph);
    expect(operators(simplified)).to.deep.equal(['Transpose']);
    expect(simplified.outputs[0].tensor.shape).to.deep.equal([4, 3, 2]);
    expect(simplified.outputs[0].tensor.node.attributes['perm']).to.deep.equal([2, 1, 0]);
  });

  it('keeps names, types and values of what the graph computes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('neg', 'exp', 'twice', 'one', 'row', 'flip', 'self'), { minLength: 1, maxLength: 12 }),
        fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 6, maxLength: 6 }),
        (steps, data) => {
          const graph = trace(
            ({ x }) => ({
              y: steps.reduce((y, step) => {
                switch (step) {
                  case 'neg':
                    return y.neg();
                  case 'exp':
                    return y.tanh().exp();
                  case 'twice':
                    return y.mul(0.5).mul(3).add(0);
                  case 'one':
                    return y.mul(1).sub(constant(1).sub(1));
                  case 'row':
                    return y.add(y.slice(0, 0, 1).expand([2, 3]));
                  case 'flip':
                    return y.transpose().reshape([2, 3]);
                  default:
                    return add(y, y.neg());
                }
              }, x),
            }),
            { x: f32([2, 3]) },
          );
          const given = { x: hostArray(Float64Array.from(data), [2, 3], 'f64') };
          const before = evaluateGraph(graph, { x: { ...given.x, dtype: 'f32' } })['y'];
          const after = evaluateGraph(simplify(graph), { x: { ...given.x, dtype: 'f32' } })['y'];
          expect(after.shape).to.deep.equal(before.shape);
          before.data.forEach((value, i) => expect(after.data[i]).to.be.closeTo(value, 1e-12 * (1 + Math.abs(value))));
        },
      ),
    );
  });
});

describe('inlineComposites', () => {
  it('replaces composites inside composites, except those a backend keeps', () => {
    const outer = composite('Outer', ([x]) => silu(x).add(1));
    const graph = trace(({ x }) => outer([x], {})[0], { x: f32([2]) });
    expect(operators(inlineComposites(graph))).to.have.members(['Sigmoid', 'Mul', 'Constant', 'Add']);
    expect(operators(inlineComposites(graph, (node) => node.operator.name === 'Silu'))).to.have.members([
      'Silu',
      'Constant',
      'Add',
    ]);
  });
});

describe('prepareGraph', () => {
  const floats: readonly DType[] = ['f32'];
  const manifest = (...names: string[]): Manifest => new Map(names.map((name) => [name, floats]));

  it("names the operator that a backend lacks, and the user's line", () => {
    const graph = trace(({ x }) => x.exp().sin(), { x: f32([2]) });
    expect(() => prepareGraph(graph, manifest('Exp'), 'toy')).to.throw(
      UnsupportedError,
      /toy backend has no Sin for f32[^]*passes\.test\.ts:\d+/,
    );
  });

  it('has the host draw what the backend cannot, from the same keys', () => {
    const graph = trace(
      ({ key, step }) => {
        const random = new Random({ key, firstSample: constant(7, 'u32'), step }, 3);
        return random.normal([2, 3]).mul(2);
      },
      { key: u32([2]), step: u32([]) },
    );
    const { graph: prepared, randomness } = prepareGraph(graph, manifest('Mul'), 'toy');
    expect(operators(prepared)).to.have.members(['Constant', 'Mul']);
    expect(randomness!.dependsOn).to.have.members(['key', 'step']);
    const drawn = randomness!.draw({ key: hostArray(Uint32Array.of(11, 12)), step: hostArray(Uint32Array.of(5), []) });
    const expected = hostRandomNormal(Uint32Array.of(11, 12), Uint32Array.of(0, 7, 5, 3), [2, 3]);
    expect(Array.from(Object.values(drawn)[0].data)).to.deep.equal(Array.from(expected.data));
  });

  it('leaves drawing to a backend that has the bits', () => {
    const graph = trace(({ key, counter }) => randomNormal(key, counter, [2, 2]), { key: u32([2]), counter: u32([4]) });
    const everything: Manifest = new Map(
      [
        'RandomBits',
        'Div',
        'Cast',
        'Mul',
        'Sub',
        'Log',
        'Sqrt',
        'Cos',
        'Sin',
        'Slice',
        'Concat',
        'Reshape',
        'Neg',
        'Log1p',
      ].map((name) => [name, ['f32', 'u32'] as const]),
    );
    const { graph: prepared, randomness } = prepareGraph(graph, everything, 'toy');
    expect(randomness).to.equal(undefined);
    expect(operators(prepared)).to.include('RandomBits');
  });
});

describe('extractGuard', () => {
  const graph = trace(
    ({ a, b, c, ok }) => ({
      a: where(ok, a.add(1), a),
      b: where(ok, b.mul(2), b),
      c: where(ok, c.add(1), b),
      other: a.neg(),
    }),
    {
      a: f32([2]),
      b: f32([2]),
      c: f32([2]),
      ok: { shape: [], dtype: 'bool' as const },
    },
  );

  it('takes the selection of kept outputs out of the graph', () => {
    const {
      graph: free,
      guard,
      guarded,
    } = extractGuard(graph, [
      ['a', 'a'],
      ['b', 'b'],
      ['c', 'c'],
    ]);
    expect([...guarded]).to.have.members(['a', 'b']);
    expect(free.output(guard!)).to.equal(graph.input('ok'));
    expect(free.output('a').node.operator.name).to.equal('Add');
    // c falls back to b, which is not its alias: that selection is a computation like any other.
    expect(free.output('c').node.operator.name).to.equal('Where');
  });

  it('leaves a graph without aliases as it is', () => {
    expect(extractGuard(graph, []).graph).to.equal(graph);
  });
});
