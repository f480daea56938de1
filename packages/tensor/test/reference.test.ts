import { assert } from 'chai';
import fc from 'fast-check';
import { apply } from '../src/graph/node.ts';
import { trace, f32, i32 } from '../src/graph/trace.ts';
import type { Operator } from '../src/graph/operator.ts';
import * as composites from '../src/composites/index.ts';
import * as operators from '../src/operators/index.ts';
import { erf } from '../src/reference/erf.ts';
import { evaluateGraph } from '../src/reference/evaluateGraph.ts';
import { kernels } from '../src/reference/kernels.ts';
import { hostArray, type HostArray } from '../src/tensor/hostArray.ts';
import { distance, evaluate, normals, numbers } from './support/numeric.ts';
import { thrownBy } from './support/thrownBy.ts';

const isOperator = (value: unknown): value is Operator =>
  typeof value === 'object' && value !== null && 'infer' in value;

const doubles = (...values: number[]): HostArray => hostArray(Float64Array.from(values));
const integers = (...values: number[]): HostArray => hostArray(Int32Array.from(values));
const unsigned = (...values: number[]): HostArray => hostArray(Uint32Array.from(values));

describe('the reference', () => {
  it('gives every primitive operator a meaning, and nothing else', () => {
    const names = Object.values(operators)
      .filter(isOperator)
      .map(({ name }) => name);
    assert.sameMembers([...kernels.keys()], names);
    assert.isAbove(names.length, 50);
  });

  it('keeps f32 in f64, unrounded, from either storage', () => {
    const graph = trace(({ x }) => ({ y: x.mul(1 / 3) }), { x: f32([2]) });
    const narrow = evaluateGraph(graph, { x: { data: Float32Array.of(0.1, 1), shape: [2], dtype: 'f32' } });
    const wide = evaluateGraph(graph, { x: { data: Float64Array.of(0.1, 1), shape: [2], dtype: 'f32' } });
    assert.deepEqual(narrow['y'], { data: Float64Array.of(Math.fround(0.1) / 3, 1 / 3), shape: [2], dtype: 'f32' });
    assert.deepEqual([...wide['y'].data], [0.1 * (1 / 3), 1 / 3]);
  });

  it('multiplies each matrix of a batch, those that broadcast too', () => {
    const stack = hostArray(Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8), [2, 2, 2]);
    const row = hostArray(Float64Array.of(1, 10), [2, 1]);
    assert.deepEqual(
      numbers((a, b) => operators.matmul(a, operators.expand(b, [2, 2, 1])), [stack, row]),
      [21, 43, 65, 87],
    );
  });

  it('refuses inputs that do not fit', () => {
    const graph = trace(({ x, i }) => ({ y: x, i }), { x: f32([2]), i: i32([1]) });
    const i = integers(0);
    const x = hostArray([1, 2]);
    assert.equal(thrownBy(() => evaluateGraph(graph, { x })).code, 'FM_GRAPH');
    assert.equal(thrownBy(() => evaluateGraph(graph, { x, i, z: x })).code, 'FM_GRAPH');
    assert.equal(thrownBy(() => evaluateGraph(graph, { x: hostArray([1, 2, 3]), i })).code, 'FM_SHAPE');
    assert.equal(
      thrownBy(() => evaluateGraph(graph, { x: { data: Float32Array.of(1), shape: [2], dtype: 'f32' }, i })).code,
      'FM_SHAPE',
    );
    assert.equal(thrownBy(() => evaluateGraph(graph, { x, i: hostArray([1]) })).code, 'FM_DTYPE');
    assert.equal(
      thrownBy(() => evaluateGraph(graph, { x, i: { data: Float64Array.of(1), shape: [1], dtype: 'i32' } })).code,
      'FM_DTYPE',
    );
  });

  it('says which operator it does not know, and whose line used it', () => {
    const unknown: Operator = { name: 'Frobnicate', infer: ([x]) => [x] };
    const error = thrownBy(() => evaluate((x) => apply(unknown, [x], {}), [doubles(1)]));
    assert.equal(error.code, 'FM_UNSUPPORTED');
    assert.match(error.message, /Frobnicate[^]*reference\.test\.ts/);
  });
});

describe('integers of the reference', () => {
  const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const exact = [
    ['sums', operators.add, (a: bigint, b: bigint) => a + b],
    ['differences', operators.sub, (a: bigint, b: bigint) => a - b],
    ['products', operators.mul, (a: bigint, b: bigint) => a * b],
  ] as const;

  for (const [name, operator, compute] of exact) {
    it(`${name} wrap modulo 2³²`, () => {
      fc.assert(
        fc.property(word, word, (a, b) => {
          const [signed] = numbers(operator, [integers(a), integers(b)]);
          const [plain] = numbers(operator, [unsigned(a), unsigned(b)]);
          assert.equal(signed, Number(BigInt.asIntN(32, compute(BigInt(a), BigInt(b)))));
          assert.equal(plain, Number(BigInt.asUintN(32, compute(BigInt(a), BigInt(b)))));
        }),
        { numRuns: 50 },
      );
    });
  }

  it('sums and multiplies matrices modulo 2³²', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (values) => {
        const total = values.reduce((sum, value) => sum + BigInt(value), 0n);
        const square = values.reduce((sum, value) => sum + BigInt(value) ** 2n, 0n);
        const x = integers(...values);
        assert.equal(numbers((v) => v.sum(), [x])[0], Number(BigInt.asIntN(32, total)));
        assert.equal(numbers((v) => operators.matmul(v, v), [x])[0], Number(BigInt.asIntN(32, square)));
      }),
      { numRuns: 50 },
    );
  });

  it('divides towards zero, and takes remainders of either sign', () => {
    const [a, b] = [integers(7, -7, 7, -7, 6), integers(3, 3, -3, -3, 3)];
    assert.deepEqual(numbers(operators.div, [a, b]), [2, -2, -2, 2, 2]);
    assert.deepEqual(
      numbers((x, y) => operators.mod(x, y), [a, b]),
      [1, 2, -2, -1, 0],
    );
    assert.deepEqual(
      numbers((x, y) => operators.mod(x, y, 1), [a, b]),
      [1, -1, 1, -1, 0],
    );
  });

  it('negates, takes absolute values and extrema', () => {
    const x = integers(-5, 3, -(2 ** 31));
    assert.deepEqual(numbers(operators.neg, [x]), [5, -3, -(2 ** 31)]);
    assert.deepEqual(
      numbers((v) => v.max(), [x]),
      [3],
    );
    assert.deepEqual(
      numbers((v) => v.min(), [unsigned(7, 4_000_000_000)]),
      [7],
    );
    assert.deepEqual(
      numbers((v) => v.max(), [unsigned(7, 4_000_000_000)]),
      [4_000_000_000],
    );
  });

  it('counts ranges in both directions', () => {
    assert.deepEqual(
      numbers(() => operators.range(5)),
      [0, 1, 2, 3, 4],
    );
    assert.deepEqual(
      numbers(() => operators.range(2, -3, -2)),
      [2, 0, -2],
    );
    assert.deepEqual(
      numbers(() => operators.range(0, 1, 0.25, 'f32')),
      [0, 0.25, 0.5, 0.75],
    );
  });
});

describe('floats of the reference', () => {
  it('erf is right to four units in the last place', () => {
    // mpmath to 40 digits, rounded to f64.
    const expected = [
      [1e-300, 1.1283791670955126e-300],
      [1e-10, 1.1283791670955126e-10],
      [0.01, 0.011283415555849618],
      [0.1, 0.1124629160182849],
      [0.25, 0.27632639016823696],
      [0.46875, 0.49261347321793797],
      [0.84375, 0.7672256612323416],
      [1, 0.8427007929497149],
      [1.25, 0.9229001282564583],
      [1.5, 0.9661051464753108],
      [1.75, 0.9866716712191824],
      [2.5, 0.999593047982555],
      [3.5, 0.9999992569016276],
      [5, 0.9999999999984626],
      [5.9, 0.9999999999999999],
      [40, 1.0],
      [Infinity, 1.0],
    ];
    for (const [x, y] of expected) {
      assert.isAtMost(Math.abs(erf(x) - y), 4 * 2 ** -53 * y, `erf(${x})`);
      assert.equal(erf(-x), -erf(x));
    }
    assert.isNaN(erf(NaN));
    assert.isTrue(Object.is(erf(-0), -0));
  });

  it('rounds halves to even', () => {
    assert.deepEqual(
      numbers(operators.round, [doubles(-2.5, -1.5, -0.4, 0.5, 0.6, 1.5, 2.5, 1e300)]),
      [-2, -2, -0, 0, 1, 2, 2, 1e300],
    );
  });

  it('takes remainders with the sign of the dividend', () => {
    assert.deepEqual(
      numbers((a, b) => operators.mod(a, b), [doubles(5.5, -5.5, 5.5), doubles(2, 2, -2)]),
      [1.5, -1.5, 1.5],
    );
    assert.equal(thrownBy(() => numbers((a, b) => operators.mod(a, b, 0), [doubles(1), doubles(1)])).code, 'FM_DTYPE');
  });

  it('raises to powers as in IEEE 754', () => {
    assert.deepEqual(
      numbers(operators.pow, [doubles(2, 4, 1, 0, -8, -1, 9), doubles(10, -0.5, NaN, 0, 3, Infinity, 0.5)]),
      [1024, 0.5, 1, 1, -512, 1, 3],
    );
    assert.isNaN(numbers(operators.pow, [doubles(-2), doubles(0.5)])[0]);
  });

  it('keeps the small digits of expm1 and log1p, and the tails of sigmoid', () => {
    assert.deepEqual(numbers(operators.expm1, [doubles(1e-20, 0)]), [1e-20, 0]);
    assert.deepEqual(numbers(operators.log1p, [doubles(1e-20, 0)]), [1e-20, 0]);
    const [far, near, middle, overflow] = numbers(operators.sigmoid, [doubles(-700, 40, 0, 1000)]);
    assert.approximately(far / Math.exp(-700), 1, 1e-12);
    assert.isBelow(1 - near, 1e-15);
    assert.deepEqual([middle, overflow], [0.5, 1]);
  });

  it('tells NaN from other values, and carries it through extrema', () => {
    assert.deepEqual(numbers(operators.isNaN, [doubles(NaN, 1, Infinity)]), [1, 0, 0]);
    assert.deepEqual(numbers(operators.maximum, [doubles(NaN, 1), doubles(0, 2)]), [NaN, 2]);
    assert.deepEqual(
      numbers((x) => operators.isFinite(x), [doubles(NaN, 1, Infinity, -Infinity)]),
      [0, 1, 0, 0],
    );
  });

  it('casts', () => {
    const x = doubles(2.7, -2.7, 0, NaN);
    assert.deepEqual(
      numbers((v) => v.cast('i32'), [doubles(2.7, -2.7, 0)]),
      [2, -2, 0],
    );
    assert.deepEqual(
      numbers((v) => v.cast('bool'), [x]),
      [1, 1, 0, 1],
    );
    assert.deepEqual(
      numbers((v) => v.cast('bool').cast('f32'), [x]),
      [1, 1, 0, 1],
    );
    assert.deepEqual(
      numbers((v) => v.cast('u32').cast('f64'), [integers(-1)]),
      [2 ** 32 - 1],
    );
  });

  it('sums nothing to zero and refuses its maximum', () => {
    const nothing = hostArray(new Float64Array(0), [2, 0]);
    assert.deepEqual(
      numbers((x) => x.sum(1), [nothing]),
      [0, 0],
    );
    assert.equal(thrownBy(() => numbers((x) => x.max(1), [nothing])).code, 'FM_OPTION');
  });

  it('gathers from the end, accumulates repeated indices, and refuses an index out of range', () => {
    const data = hostArray(Float64Array.of(1, 2, 3, 4, 5, 6), [3, 2]);
    assert.deepEqual(
      numbers((x, i) => operators.gather(x, i), [data, integers(-1, 0)]),
      [5, 6, 1, 2],
    );
    assert.deepEqual(
      numbers((x, i) => operators.scatterAdd(x, i, operators.ones([3, 3], 'f64'), 1), [data, integers(0, -1, 0)]),
      [3, 3, 5, 5, 7, 7],
    );
    const error = thrownBy(() => numbers((x, i) => operators.gather(x, i), [data, integers(3)]));
    assert.equal(error.code, 'FM_DATA');
    assert.match(error.message, /index 3[^]*reference\.test\.ts/);
  });
});

describe('convolutions of the reference', () => {
  const image = normals([2, 4, 7, 6], 1);
  const weight = normals([6, 2, 2, 3], 2);

  it('in groups are convolutions of the groups, side by side', () => {
    const whole = evaluate((x, w) => [operators.conv2d(x, w, { groups: 2, stride: [2, 1] })], [image, weight]);
    const parts = evaluate(
      (x, w) => [
        operators.concat(
          [0, 1].map((i) =>
            operators.conv2d(x.slice(1, 2 * i, 2 * i + 2), w.slice(0, 3 * i, 3 * i + 3), { stride: [2, 1] }),
          ),
          1,
        ),
      ],
      [image, weight],
    );
    assert.isAtMost(distance(whole, parts), 1e-14);
  });

  it('dilated are convolutions with zeros between the weights', () => {
    const dilated = evaluate(
      (x, w) => [operators.conv2d(x, w, { groups: 2, dilation: [3, 2], padding: 1 })],
      [image, weight],
    );
    const spread = evaluate(
      (x, w) => {
        const down = operators.scatterAdd(
          operators.zeros([6, 2, 4, 3], 'f64'),
          operators.constant([0, 3], 'i32'),
          w,
          2,
        );
        const across = operators.scatterAdd(
          operators.zeros([6, 2, 4, 5], 'f64'),
          operators.constant([0, 2, 4], 'i32'),
          down,
          3,
        );
        return [operators.conv2d(x, across, { groups: 2, padding: [1, 1] })];
      },
      [image, weight],
    );
    assert.isAtMost(distance(dilated, spread), 1e-14);
  });

  it('of one pixel are products of matrices', () => {
    const [y] = evaluate(
      (x, w, bias) => [operators.conv2d(x, w.reshape([3, 4, 1, 1]), { bias })],
      [image, normals([3, 4], 3), normals([3], 4)],
    );
    const [expected] = evaluate(
      (x, w, bias) => [
        operators.transpose(operators.transpose(x, [0, 2, 3, 1]).matmul(w.transpose()).add(bias), [0, 3, 1, 2]),
      ],
      [image, normals([3, 4], 3), normals([3], 4)],
    );
    assert.isAtMost(distance([y], [expected]), 1e-14);
  });
});

describe('composites of the reference', () => {
  it('neither overflow nor underflow', () => {
    assert.deepEqual(numbers(composites.softplus, [doubles(800, -800, 0)]), [800, 0, Math.LN2]);
    assert.approximately(numbers(composites.softplus, [doubles(-40)])[0] / Math.exp(-40), 1, 1e-12);
    assert.deepEqual(
      numbers((x) => composites.softmax(x), [doubles(1000, 1000, -1000)]),
      [0.5, 0.5, 0],
    );
    assert.deepEqual(
      numbers((x) => composites.logSoftmax(x), [doubles(0, -1000)]),
      [0, -1000],
    );
    assert.deepEqual(
      numbers((x) => composites.logSumExp(x), [doubles(1000, 1000)]),
      [1000 + Math.LN2],
    );
    assert.deepEqual(numbers(composites.silu, [doubles(-1000, 1000)]), [-0, 1000]);
    assert.deepEqual(
      numbers((x) => composites.gelu(x), [doubles(-1000, 1000)]),
      [-0, 1000],
    );
  });

  it('logSumExp takes infinite terms', () => {
    assert.deepEqual(
      numbers((x) => composites.logSumExp(x), [doubles(-Infinity, -Infinity)]),
      [-Infinity],
    );
    assert.deepEqual(
      numbers((x) => composites.logSumExp(x), [doubles(-Infinity, 2)]),
      [2],
    );
    assert.deepEqual(
      numbers((x) => composites.logSumExp(x), [doubles(Infinity, 2)]),
      [Infinity],
    );
  });

  it('mean and variance do not cancel', () => {
    const x = doubles(1e9 + 1, 1e9 + 2, 1e9 + 3);
    assert.deepEqual(
      numbers((v) => composites.mean(v), [x]),
      [1e9 + 2],
    );
    assert.deepEqual(
      numbers((v) => composites.variance(v), [x]),
      [2 / 3],
    );
    assert.deepEqual(
      numbers((v) => composites.variance(v, 0, { correction: 1, keepdims: true }), [x]),
      [1],
    );
    assert.isNaN(numbers((x) => composites.mean(x), [doubles()])[0]);
  });

  it('averagePool2d averages overlapping windows', () => {
    const x = hostArray(
      Float64Array.from({ length: 18 }, (_, i) => i),
      [1, 2, 3, 3],
    );
    assert.deepEqual(
      numbers((v) => composites.averagePool2d(v, 2, { stride: 1 }), [x]),
      [2, 3, 5, 6, 11, 12, 14, 15],
    );
  });

  it('normalisations take a bias without a scale, and refuse groups that do not divide', () => {
    const x = hostArray(Float64Array.of(1, 3, 5, 7), [1, 2, 2]);
    const bias = hostArray(Float64Array.of(10, 20));
    const unit = 1 / Math.sqrt(1 + 1e-5);
    numbers((v, b) => composites.groupNorm(v, 2, { bias: b }), [x, bias]).forEach((value, i) =>
      assert.approximately(value, [10 - unit, 10 + unit, 20 - unit, 20 + unit][i], 1e-14),
    );
    assert.equal(thrownBy(() => numbers((v) => composites.groupNorm(v, 3), [x])).code, 'FM_OPTION');
  });

  it('attention refuses tensors without heads', () => {
    const x = hostArray(Float64Array.of(1, 2, 3, 4), [2, 2]);
    assert.equal(thrownBy(() => numbers((q) => composites.scaledDotProductAttention(q, q, q), [x])).code, 'FM_SHAPE');
  });

  it('upsampling copies pixels, and refuses part of one', () => {
    const x = hostArray(Float64Array.of(1, 2), [1, 1, 1, 2]);
    assert.deepEqual(
      numbers((v) => composites.upsampleNearest2d(v, [2, 3]), [x]),
      [1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2],
    );
    assert.equal(thrownBy(() => numbers((v) => composites.upsampleNearest2d(v, 1.5), [x])).code, 'FM_OPTION');
  });
});
