import * as fm from '@flow-matching/tensor';
import type { DType, Shape, Tensor } from '@flow-matching/tensor';
import type { Formula } from '../case/agreement.ts';
import type { Use } from '../case/use.ts';
import { all, booleans, floats, numeric } from '../operators/dtypes.ts';
import { byInput, byWeight, convolution, forward } from '../operators/productUses.ts';
import type { EdgeUses } from './edgeUses.ts';

const use = (what: string, shapes: readonly Shape[], formula: Formula): Use => ({
  what,
  operands: (draw) => shapes.map((shape) => draw.array(shape)),
  formula,
});

const empty = (operator: string, dtypes: readonly DType[], uses: readonly Use[]): EdgeUses => ({
  operator,
  dtypes,
  rows: () => [{ what: 'no elements', uses }],
});

const unary = (operator: string, dtypes: readonly DType[], formula: (x: Tensor) => Tensor): EdgeUses =>
  empty(operator, dtypes, [use('[0]', [[0]], formula), use('[2, 0, 3]', [[2, 0, 3]], formula)]);

/** An extent of 1 broadcasts against 0, too. */
const binary = (operator: string, dtypes: readonly DType[], formula: (a: Tensor, b: Tensor) => Tensor): EdgeUses =>
  empty(operator, dtypes, [
    use('[0] and [0]', [[0], [0]], formula),
    use('[0, 3] and [3]', [[0, 3], [3]], formula),
    use('[0] and [1]', [[0], [1]], formula),
    use(
      '[1, 3] and [0, 1]',
      [
        [1, 3],
        [0, 1],
      ],
      formula,
    ),
    use('[] and [2, 0]', [[], [2, 0]], formula),
  ]);

const reductions = (reduce: typeof fm.reduceSum, overNothing: boolean): Use[] => [
  use('[0, 3] over its last axis', [[0, 3]], (x) => reduce(x, 1)),
  use('[2, 0, 3] over its last axis, kept', [[2, 0, 3]], (x) => reduce(x, 2, { keepdims: true })),
  ...(overNothing
    ? [
        use('[0, 3] over its first axis', [[0, 3]], (x) => reduce(x, 0)),
        use('[2, 0] over all axes', [[2, 0]], (x) => reduce(x)),
        use('[2, 0, 3] over its second axis, kept', [[2, 0, 3]], (x) => reduce(x, 1, { keepdims: true })),
      ]
    : []),
];

const none = [convolution([0, 2, 5, 5], [3, 2, 2, 2])];

/** Empty arrays, which every operator accepts. */
export const emptyTensors: readonly EdgeUses[] = [
  binary('Add', numeric, fm.add),
  binary('Sub', numeric, fm.sub),
  binary('Mul', numeric, fm.mul),
  binary('Div', numeric, fm.div),
  binary('Max', numeric, fm.maximum),
  binary('Min', numeric, fm.minimum),
  binary('Pow', floats, fm.pow),
  binary('Equal', all, fm.equal),
  binary('Less', numeric, fm.less),
  binary('LessOrEqual', numeric, fm.lessOrEqual),
  binary('And', booleans, fm.and),
  binary('Or', booleans, fm.or),
  ...Object.entries({
    Sqrt: fm.sqrt,
    Reciprocal: fm.reciprocal,
    Floor: fm.floor,
    Round: fm.round,
    Exp: fm.exp,
    Log: fm.log,
    Expm1: fm.expm1,
    Log1p: fm.log1p,
    Sin: fm.sin,
    Cos: fm.cos,
    Tanh: fm.tanh,
    Sigmoid: fm.sigmoid,
    Erf: fm.erf,
    IsNaN: fm.isNaN,
    Relu: fm.relu,
    Silu: fm.silu,
    Softplus: fm.softplus,
    Gelu: (x: Tensor) => fm.gelu(x),
    Softmax: (x: Tensor) => fm.softmax(x.reshape([0, 3])),
    LogSoftmax: (x: Tensor) => fm.logSoftmax(x.reshape([0, 3])),
    LayerNormalization: (x: Tensor) => fm.layerNorm(x.reshape([0, 3])),
  }).map(([operator, formula]) => unary(operator, floats, formula)),
  unary('Neg', numeric, fm.neg),
  unary('Abs', numeric, fm.abs),
  unary('Sign', numeric, fm.sign),
  unary('Not', booleans, fm.not),
  unary('Identity', all, fm.identity),
  unary('Barrier', all, fm.barrier),
  {
    operator: 'Where',
    dtypes: all,
    rows: () => [
      {
        what: 'no elements',
        uses: (
          [
            [[0], [], [1]],
            [[1], [0], [0]],
            [[0, 3], [3], []],
          ] as const
        ).map(([condition, a, b]): Use => ({
          what: [condition, a, b].map(fm.formatShape).join(', '),
          operands: (draw) => [draw.of('bool').array(condition), draw.array(a), draw.array(b)],
          formula: (c, x, y) => fm.where(c, x, y),
        })),
      },
    ],
  },
  empty('Reshape', all, [use('[0, 3] to [3, 0, 2]', [[0, 3]], (x) => x.reshape([3, 0, 2]))]),
  empty('Transpose', all, [
    use('[0, 3]', [[0, 3]], (x) => x.transpose()),
    use('[2, 0, 3] by [2, 0, 1]', [[2, 0, 3]], (x) => x.transpose([2, 0, 1])),
  ]),
  empty('Expand', all, [
    use('[1] to [0]', [[1]], (x) => x.expand([0])),
    use('[3, 1] to [2, 3, 0]', [[3, 1]], (x) => x.expand([2, 3, 0])),
  ]),
  empty('Cast', all, [
    use('[0, 2]', [[0, 2]], (x) => (['f32', 'f64', 'i32', 'u32', 'bool'] as const).map((to) => fm.cast(x, to))),
  ]),
  empty('Concat', all, [
    use(
      '[2, 0], [2, 2] and [2, 1]',
      [
        [2, 0],
        [2, 2],
        [2, 1],
      ],
      (...parts) => fm.concat(parts, -1),
    ),
    use(
      '[2, 0] and [2, 2]',
      [
        [2, 0],
        [2, 2],
      ],
      (...parts) => fm.concat(parts, 1),
    ),
    use(
      '[0, 2] twice along 1',
      [
        [0, 2],
        [0, 2],
      ],
      (...parts) => fm.concat(parts, 1),
    ),
    use('[0] twice', [[0], [0]], (...parts) => fm.concat(parts, 0)),
  ]),
  empty('Slice', all, [
    use('nothing of [6, 2]', [[6, 2]], (x) => fm.slice(x, [3, 0], [3, 2])),
    use('an end before the start', [[6]], (x) => fm.slice(x, [4], [2])),
    use('all of [0, 3]', [[0, 3]], (x) => fm.slice(x, [0, 1], [0, 3])),
    use('bounds beyond the ends', [[4]], (x) => fm.slice(x, [-9], [9])),
  ]),
  empty('Pad', all, [
    use('[0, 2] with ones', [[0, 2]], (x) => fm.pad(x, [1, 0], [2, 1], 1)),
    use('[0]', [[0]], (x) => fm.pad(x, [0], [3])),
  ]),
  empty('ReduceSum', numeric, reductions(fm.reduceSum, true)),
  empty('ReduceMax', numeric, reductions(fm.reduceMax, false)),
  empty('ReduceMin', numeric, reductions(fm.reduceMin, false)),
  empty('ReduceMean', floats, reductions(fm.mean, true)),
  empty('MatMul', numeric, [
    use(
      '[2, 0] times [0, 3]',
      [
        [2, 0],
        [0, 3],
      ],
      fm.matmul,
    ),
    use(
      '[0, 2] times [2, 3]',
      [
        [0, 2],
        [2, 3],
      ],
      fm.matmul,
    ),
    use(
      '[2, 3] times [3, 0]',
      [
        [2, 3],
        [3, 0],
      ],
      fm.matmul,
    ),
    use(
      '[0, 2, 3] times [0, 3, 1]',
      [
        [0, 2, 3],
        [0, 3, 1],
      ],
      fm.matmul,
    ),
    use(
      '[4, 2, 0] times [4, 0, 3]',
      [
        [4, 2, 0],
        [4, 0, 3],
      ],
      fm.matmul,
    ),
  ]),
  {
    operator: 'Gather',
    dtypes: all,
    rows: () => [
      {
        what: 'no elements',
        uses: (
          [
            [[5, 2], [0]],
            [[0, 2], [0]],
            [[5, 0], [3]],
          ] as const
        ).map(([data, indices]): Use => ({
          what: `${fm.formatShape(indices)} of ${fm.formatShape(data)}`,
          operands: (draw) => [draw.array(data), draw.of('i32').array(indices, [0, 5])],
          formula: (x, i) => fm.gather(x, i, 0),
        })),
      },
    ],
  },
  {
    operator: 'ScatterAdd',
    dtypes: numeric,
    rows: () => [
      {
        what: 'no elements',
        uses: (
          [
            [[5, 2], [0]],
            [[5, 0], [3]],
          ] as const
        ).map(([data, indices]): Use => ({
          what: `${fm.formatShape(indices)} into ${fm.formatShape(data)}`,
          operands: (draw) => [
            draw.array(data),
            draw.of('i32').array(indices, [0, 5]),
            draw.array([indices[0], data[1]]),
          ],
          formula: (x, i, u) => fm.scatterAdd(x, i, u, 0),
        })),
      },
    ],
  },
  empty('Range', numeric, [
    { what: 'up', operands: (draw) => [draw.array([1])], formula: (x) => fm.range(3, 3, 1, x.dtype) },
    { what: 'away', operands: (draw) => [draw.array([1])], formula: (x) => fm.range(3, 5, -1, x.dtype) },
  ]),
  empty('Conv', numeric, none.map(forward)),
  empty('ConvInputGradient', numeric, none.map(byInput)),
  empty('ConvWeightGradient', numeric, none.map(byWeight)),
];
