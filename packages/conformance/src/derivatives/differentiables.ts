import * as fm from '@flow-matching/tensor';
import type { HostArray, Shape, Tensor } from '@flow-matching/tensor';

/** A formula with a point at which it is twice differentiable, and smooth within rounding distance. */
export interface Differentiable {
  readonly name: string;
  /** For floats of any dtype. */
  readonly formula: (...xs: Tensor[]) => Tensor;
  readonly at: readonly HostArray[];
}

const words = (draw: typeof fm.hostRandomNormal, shape: Shape, seed: number): Float64Array =>
  Float64Array.from(draw(Uint32Array.of(seed, 0x7e57), new Uint32Array(4), [1, fm.sizeOf(shape)]).data);

/** Standard normals, f64, equal for equal seeds. */
const normals = (shape: Shape, seed: number): HostArray => fm.hostArray(words(fm.hostRandomNormal, shape, seed), shape);

/** Uniforms on [low, high), f64, equal for equal seeds. */
const uniforms = (shape: Shape, seed: number, low: number, high: number): HostArray =>
  fm.hostArray(
    words(fm.hostRandomUniform, shape, seed).map((u) => low + (high - low) * u),
    shape,
  );

const entry = (name: string, formula: Differentiable['formula'], ...at: HostArray[]): Differentiable => ({
  name,
  formula,
  at,
});

const x = normals([3, 4], 1);
const y = normals([3, 4], 2);
const row = normals([4], 3);
const column = normals([3, 1], 4);
const scalar = normals([], 5);
const positive = uniforms([3, 4], 6, 0.5, 2);
const positiveRow = uniforms([4], 7, 0.5, 2);
const image = normals([2, 4, 6, 5], 8);
const indices = fm.constant([2, 0, 2, -3, 1], 'i32');

const conv = { strides: [2, 1], pads: [1, 0, 2, 1], dilations: [1, 2], group: 2 };
const convWeight = normals([6, 2, 3, 2], 9);
const convOutput = normals([2, 6, 4, 4], 10);

/** Every differentiable operator and composite, and the different ways of calling them. */
export const differentiables: readonly Differentiable[] = [
  entry('add', fm.add, x, row),
  entry('sub', fm.sub, column, y),
  entry('mul', fm.mul, column, row),
  entry('div', fm.div, x, positiveRow),
  entry('neg', fm.neg, x),
  entry('reciprocal', fm.reciprocal, positive),
  entry('sqrt', fm.sqrt, positive),
  entry('pow', fm.pow, positive, row),
  entry('pow of a constant exponent', (a) => fm.pow(a, 3), x),
  entry('maximum', fm.maximum, x, row),
  entry('minimum', fm.minimum, x, y),
  entry('abs', fm.abs, x),
  entry('mod', (a, b) => fm.mod(a, b), x, positive),
  entry('exp', fm.exp, x),
  entry('log', fm.log, positive),
  entry('expm1', fm.expm1, x),
  entry('log1p', fm.log1p, positive),
  entry('sin', fm.sin, x),
  entry('cos', fm.cos, x),
  entry('tanh', fm.tanh, x),
  entry('sigmoid', fm.sigmoid, x),
  entry('erf', fm.erf, x),
  entry('where', (a, b) => fm.where(fm.greater(a, 0), a.square(), b.exp()), x, row),
  entry('a floor in between', (a) => a.mul(fm.floor(a)), x),
  entry('matmul', fm.matmul, x, normals([4, 2], 11)),
  entry('matmul, batched and broadcast', fm.matmul, normals([2, 1, 3, 4], 12), normals([3, 4, 2], 13)),
  entry('matmul, a batch times a matrix', fm.matmul, normals([2, 3, 4], 14), normals([4, 2], 15)),
  entry('matmul, vectors', (a, b, c) => fm.matmul(fm.matmul(a, b), c), row, normals([4, 3], 16), normals([3], 17)),
  entry(
    'conv2d',
    (a, w) => fm.conv2d(a, w, { stride: [2, 1], padding: [1, 0, 2, 1], dilation: [1, 2], groups: 2 }),
    image,
    convWeight,
  ),
  entry(
    'conv2d with a bias',
    (a, w, bias) => fm.conv2d(a, w, { bias }),
    image,
    normals([3, 4, 2, 2], 18),
    normals([3], 19),
  ),
  entry(
    'convInputGradient',
    (g, w) => fm.apply(fm.ConvInputGradient, [g, w], { ...conv, shape: [2, 4, 6, 5] })[0],
    convOutput,
    convWeight,
  ),
  entry(
    'convWeightGradient',
    (a, g) => fm.apply(fm.ConvWeightGradient, [a, g], { ...conv, shape: [6, 2, 3, 2] })[0],
    image,
    convOutput,
  ),
  entry('reduceSum', (a) => a.sum(1).square(), x),
  entry('reduceMax', (a) => a.max(0, { keepdims: true }), x),
  entry('reduceMin', (a) => a.min().mul(a), x),
  entry('reshape', (a) => a.reshape([2, -1]).square(), x),
  entry('transpose', (a) => a.transpose([2, 0, 1]).square(), normals([2, 3, 4], 20)),
  entry('expand', (a) => a.expand([2, 3, 4]).mul(a), column),
  entry(
    'cast',
    (a) =>
      a
        .cast(a.dtype === 'f32' ? 'f64' : 'f32')
        .square()
        .cast(a.dtype),
    x,
  ),
  entry('concat', (a, b) => fm.concat([a, b, a], 1).square(), x, column),
  entry('stack', (a, b) => fm.stack([a, b], 1).sin(), x, y),
  entry('slice', (a) => fm.slice(a, [1, -3], [3, -1]).square(), x),
  entry('slice, backwards and strided', (a) => fm.slice(a, [-1, 3], [-4, -5], [-1, -2]).square(), x),
  entry('split', (a) => fm.mul(...(fm.split(a, [2, 2], 1) as [Tensor, Tensor])), x),
  entry('pad', (a) => fm.pad(a, [1, 0], [0, 2], 3).square(), x),
  entry('identity and barrier', (a) => fm.barrier(fm.identity(a).square()).sin(), x),
  entry('gather', (a) => fm.gather(a, indices).square(), x),
  entry(
    'gather along another axis',
    (a) =>
      fm
        .gather(
          a,
          fm.constant(
            [
              [3, 0],
              [3, 1],
            ],
            'i32',
          ),
          1,
        )
        .square(),
    x,
  ),
  entry('scatterAdd', (a, updates) => fm.scatterAdd(a, indices, updates).square(), x, normals([5, 4], 21)),

  entry('relu', fm.relu, x),
  entry('silu', fm.silu, x),
  entry('softplus', fm.softplus, x),
  entry('gelu', (a) => fm.gelu(a), x),
  entry('gelu, approximated', (a) => fm.gelu(a, 'tanh'), x),
  entry('softmax', (a) => fm.softmax(a, 0), x),
  entry('logSoftmax', (a) => fm.logSoftmax(a), x),
  entry('logSumExp', (a) => fm.logSumExp(a, [0], { keepdims: true }), x),
  entry('logSumExp over everything', (a) => fm.logSumExp(a), x),
  entry('mean', (a) => fm.mean(a, 0).square(), x),
  entry('variance', (a) => fm.variance(a, 1, { correction: 1 }), x),
  entry('layerNorm', (a, scale, bias) => fm.layerNorm(a, { scale, bias }), x, row, normals([4], 22)),
  entry('layerNorm without scale', (a) => fm.layerNorm(a, { axis: 0 }), x),
  entry(
    'groupNorm',
    (a, scale, bias) => fm.groupNorm(a, 2, { scale, bias }),
    normals([2, 4, 2, 3], 23),
    row,
    normals([4], 24),
  ),
  entry(
    'attention',
    (q, k, v) => fm.scaledDotProductAttention(q, k, v),
    normals([1, 2, 3, 4], 25),
    normals([1, 2, 5, 4], 26),
    normals([1, 2, 5, 2], 27),
  ),
  entry('attention to itself', (a) => fm.scaledDotProductAttention(a, a, a), normals([1, 2, 3, 4], 28)),
  entry(
    'attention with a bool mask that hides a row',
    (a) =>
      fm.scaledDotProductAttention(a, a, a, {
        mask: fm.constant(
          [
            [1, 0, 1],
            [0, 0, 0],
            [1, 1, 1],
          ],
          'bool',
        ),
      }),
    normals([1, 2, 3, 4], 29),
  ),
  entry(
    'attention with a mask that is added',
    (a, mask) =>
      fm.scaledDotProductAttention(a, a, a, {
        mask: fm.where(
          fm.constant(
            [
              [1, 0, 1],
              [0, 0, 0],
              [1, 1, 1],
            ],
            'bool',
          ),
          mask,
          -Infinity,
        ),
        scale: 2,
      }),
    normals([1, 2, 3, 4], 30),
    normals([3, 3], 31),
  ),
  entry('upsampleNearest2d', (a) => fm.upsampleNearest2d(a, [2, 3]).square(), normals([1, 2, 2, 3], 32)),
  entry('averagePool2d of tiles', (a) => fm.averagePool2d(a, [3, 5]).square(), image),
  entry('averagePool2d of windows', (a) => fm.averagePool2d(a, 3, { stride: 2, padding: 1 }).square(), image),
  entry(
    'a small network',
    (a, w, v) => fm.matmul(fm.gelu(fm.matmul(a, w)), v).tanh(),
    x,
    normals([4, 5], 33),
    normals([5, 2], 34),
  ),
  entry(
    'a convolutional network',
    (a, w0, w1, w2, scale, bias) => {
      const first = fm.silu(fm.groupNorm(fm.conv2d(a, w0, { padding: 1 }), 2, { scale, bias }));
      const second = fm.silu(fm.conv2d(first, w1, { stride: 2, padding: 1 }));
      return fm.conv2d(fm.upsampleNearest2d(second, 2), w2, { groups: 2, padding: 1 });
    },
    normals([1, 3, 4, 4], 35),
    normals([4, 3, 3, 3], 36),
    normals([4, 4, 3, 3], 37),
    normals([2, 2, 3, 3], 38),
    row,
    normals([4], 39),
  ),
  entry('a scalar used twice', (s) => s.mul(s.exp()), scalar),
];
