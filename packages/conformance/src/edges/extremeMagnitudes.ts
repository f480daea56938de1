import * as fm from '@flow-matching/tensor';
import type { DType, Tensor } from '@flow-matching/tensor';
import { close, leastNormal as least, ulps, unitRoundOff } from '../case/limit.ts';
import type { LimitOf } from '../case/use.ts';
import * as accuracy from '../operators/accuracy.ts';
import { floats, wideFloats } from '../operators/dtypes.ts';
import { onValues, onValuesOf, type EdgeUses } from './edgeUses.ts';

/** Values by float dtype. */
const ofFloats =
  <Value>(values: Readonly<Record<'f16' | 'f32' | 'f64', Value>>) =>
  (dtype: DType): Value =>
    values[dtype as keyof typeof values];

/** The largest power of two of a float dtype. */
const most = ofFloats({ f16: 2 ** 15, f32: 2 ** 127, f64: 2 ** 1023 });

/** Half a unit in the last place; results below the smallest normal number may be flushed to zero. */
const roundedOrFlushed: LimitOf = ({ dtype }) => ulps(0.5, least(dtype));
const dividedOrFlushed: LimitOf = ({ dtype }) => ulps(dtype === 'f64' ? 0.5 : 2.5, least(dtype));

const overflows = (operator: string, formula: (x: Tensor) => Tensor | readonly Tensor[]): EdgeUses =>
  onValuesOf(operator, floats, 'overflow', (dtype) => [[most(dtype), -most(dtype)]], formula);

/** Magnitudes outside the range of the next narrower float: beyond f16's 65,504 and below its 6·10⁻⁸, beyond f32's 3·10³⁸. */
const beyondNarrower: Readonly<Record<'f32' | 'f64', readonly number[]>> = {
  f32: [7e4, -65520, 1e6, -3e9, 1e18, -1e30, 3e-8, -1e-12, 1e-30, 65503],
  f64: [4e38, -1e39, 1e60, -1e120, 1e200, -1e280, 1e-50, -1e-90, 1e-250, 3e38],
};
const wide = (dtype: DType): readonly number[] => beyondNarrower[dtype as 'f32' | 'f64'];
const addends = (dtype: DType): readonly (readonly number[])[] => {
  const values = wide(dtype);
  return [[...values], values.map((_, i) => values[(i + 3) % values.length] / 2)];
};
const [factors, divisors] = [
  [1.5, -3, 0.75, 2, -0.125, 5, 7, -1.25, 11, 2],
  [3, -0.75, 7, 1.5, 11, -2, 0.625, 9, 5, 0.5],
];

const inRange = (
  operator: string,
  operandsOf: (dtype: DType) => readonly (readonly number[])[],
  formula: Parameters<typeof onValuesOf>[4],
  limit?: LimitOf,
): EdgeUses => onValuesOf(operator, wideFloats, 'magnitudes beyond a narrower float', operandsOf, formula, limit);

/** Finite values stay finite, and small values keep their digits: nothing passes through a narrower float. */
const wideMagnitudes: readonly EdgeUses[] = [
  inRange('Add', addends, fm.add),
  inRange('Sub', addends, fm.sub),
  inRange('Mul', (dtype) => [wide(dtype), factors], fm.mul),
  inRange('Div', (dtype) => [wide(dtype), divisors], fm.div, accuracy.division),
  inRange('Max', addends, fm.maximum),
  inRange('Min', addends, fm.minimum),
  inRange('Where', addends, (a, b) => fm.where(fm.less(a, b), a, b)),
  inRange('Neg', (dtype) => [wide(dtype)], fm.neg),
  inRange('Abs', (dtype) => [wide(dtype)], fm.abs),
  inRange('Reciprocal', (dtype) => [wide(dtype)], fm.reciprocal, accuracy.division),
  inRange('Sqrt', (dtype) => [wide(dtype).map(Math.abs)], fm.sqrt, accuracy.squareRoot),
  inRange('Log', (dtype) => [wide(dtype).map(Math.abs)], fm.log, accuracy.logarithm),
  inRange('Exp', () => [[12, 40, 80, -20, -40, -80]], fm.exp, accuracy.exponential),
  inRange('Relu', (dtype) => [wide(dtype)], fm.relu),
  inRange(
    'ReduceMax',
    (dtype) => [wide(dtype)],
    (x) => fm.reduceMax(x),
  ),
  inRange(
    'ReduceMin',
    (dtype) => [wide(dtype)],
    (x) => fm.reduceMin(x),
  ),
  // Integer multiples of a power of two: exact in any order.
  inRange(
    'ReduceSum',
    (dtype) => [[3, 5, 7, 11, 13, -2].map((value) => value * (dtype === 'f32' ? 2 ** 80 : 2 ** 600))],
    (x) => x.sum(),
  ),
  inRange(
    'MatMul',
    (dtype) => [[3, -5, 7, 11].map((value) => value * (dtype === 'f32' ? 2 ** 40 : 2 ** 300)), [13, 17, -19, 23]],
    (a, b) => [a.reshape([2, 2]).matmul(b.reshape([2, 2])), a.reshape([2, 2]).matmul(a.reshape([2, 2]))],
  ),
];

/** Results beyond the largest number are infinite; below the smallest normal one they are rounded or zero. Such operands are left out. */
export const extremeMagnitudes: readonly EdgeUses[] = [
  ...wideMagnitudes,
  overflows('Add', (x) => x.add(x)),
  overflows('Sub', (x) => x.sub(x.neg())),
  overflows('Mul', (x) => [x.mul(x), x.mul(2)]),
  overflows('Div', (x) => x.div(0.5)),
  onValuesOf(
    'Exp',
    floats,
    'overflow',
    ofFloats({ f16: [[11.5, 90, 6e4]], f32: [[95, 1e5, 1e30]], f64: [[720, 1e5, 1e300]] }),
    fm.exp,
  ),
  onValuesOf(
    'ReduceSum',
    floats,
    'overflow',
    (dtype) => [[most(dtype), most(dtype)]],
    (x) => x.sum(),
  ),

  onValuesOf(
    'Add',
    floats,
    'results below the least normal number',
    (dtype) => [
      [least(dtype) * 1.5, -least(dtype) * 1.25],
      [-least(dtype), least(dtype)],
    ],
    fm.add,
    roundedOrFlushed,
  ),
  onValuesOf(
    'Mul',
    floats,
    'results below the least normal number',
    (dtype) => [
      [least(dtype), least(dtype), Math.sqrt(least(dtype))],
      [0.75, -0.125, Math.sqrt(least(dtype)) / 8],
    ],
    fm.mul,
    roundedOrFlushed,
  ),
  onValuesOf(
    'Div',
    floats,
    'results below the least normal number',
    (dtype) => [
      [least(dtype), -least(dtype)],
      [3, 1000],
    ],
    fm.div,
    dividedOrFlushed,
  ),
  onValuesOf(
    'Exp',
    floats,
    'underflow',
    ofFloats({ f16: [[-9.75, -12, -18, -1e4]], f32: [[-88, -95, -104, -1e4]], f64: [[-720, -745, -1e4]] }),
    fm.exp,
    accuracy.exponential,
  ),
  onValuesOf('Sqrt', floats, 'large and small', (dtype) => [[most(dtype), least(dtype)]], fm.sqrt, accuracy.squareRoot),
  onValuesOf('Log', floats, 'large and small', (dtype) => [[most(dtype), least(dtype)]], fm.log, accuracy.logarithm),
  onValuesOf('Log1p', floats, 'large', (dtype) => [[most(dtype), 1e30, 1e18]], fm.log1p, accuracy.logarithmOfOnePlus),
  onValuesOf('Abs', floats, 'large and small', (dtype) => [[-most(dtype), -least(dtype)]], fm.abs),
  onValuesOf('Floor', floats, 'large', (dtype) => [[most(dtype), -most(dtype), 8388609, -8388609]], fm.floor),
  onValuesOf('Round', floats, 'large', (dtype) => [[most(dtype), -most(dtype), 8388609, 4194303.5]], fm.round),
  // Beyond 2³¹ no float passes through an integer unchanged.
  onValues('Floor', floats, 'beyond integers', [[3e9, -3e9, 6e9 + 512]], fm.floor),

  onValues('Tanh', floats, 'tails', [[9, -9, 25, -25, 90, -90, 1e30, -1e30]], fm.tanh, accuracy.hyperbolicTangent),
  onValues('Erf', floats, 'tails', [[3.9, -3.9, 4.1, 6, -6, 30, 1e18, -1e18]], fm.erf, accuracy.errorFunction),
  onValues(
    'Sigmoid',
    floats,
    'tails',
    [[-15, -16, -17, -18, -19, -30, -88, -90, -104, -1e30, 15, 17, 18, 30, 90, 1e30]],
    fm.sigmoid,
    // Below 2·10⁻⁷, about three round-offs of 1, the tail may be cut off.
    ({ dtype }) => close(dtype === 'f32' ? 2e-7 : 3.4 * unitRoundOff(dtype), 0, 'the tail may be cut off'),
  ),
  onValues(
    'Softplus',
    floats,
    'tails',
    [[-15, -20, -50, -80, -87, -1e4, 15, 20, 50, 88, 90, 1e30]],
    fm.softplus,
    accuracy.softplus,
  ),
  onValues(
    'Silu',
    floats,
    'tails',
    [[-20, -50, -90, -1e3, 20, 90, 1e30]],
    fm.silu,
    // The sigmoid's tail may be cut off wherever it is below 2·10⁻⁷.
    accuracy.scaledLogistic,
  ),
  ...(['none', 'tanh'] as const).map((approximate) =>
    onValues(
      'Gelu',
      floats,
      approximate === 'none' ? 'tails' : 'tails of the tanh approximation',
      [[-6, -10, -40, 6, 10, 40, 1e12]],
      (x) => fm.gelu(x, approximate),
      accuracy.gelu,
    ),
  ),
  onValues('Expm1', floats, 'tails', [[-20, -90, -1e4, 1e-30, -1e-30, 80]], fm.expm1, accuracy.exponentialLessOne),
  {
    operator: 'Variance',
    dtypes: wideFloats,
    rows: () => [
      {
        what: 'a large mean',
        uses: [
          {
            what: 'a hundred thousand times the deviations',
            operands: (draw) => {
              const { data, ...type } = draw.array([64], [-1, 1]);
              return [{ data: data.map((value) => value + 1e4), ...type }];
            },
            formula: (x) => fm.variance(x),
            // The error of the mean is that of its sum; the error of the squares is twice that, times the mean deviation.
            limit: ({ dtype }) =>
              close(2 * 66 * 1e4 * unitRoundOff(dtype) + 80 * unitRoundOff(dtype), 0, 'the roundings of the mean'),
          },
        ],
      },
    ],
  },
];
