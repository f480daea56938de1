import * as core from '@flow-matching/tensor';
import { isFloat, splatValue, type DType, type Operator } from '@flow-matching/tensor';
import type { KernelWriter } from '../compiler/kernelWriter.ts';
import type { LibraryName } from '../wgsl/functions.ts';
import { valueType } from '../wgsl/types.ts';
import {
  any,
  elementwise,
  elementwiseOfRounded,
  float,
  numeric,
  roundedOperand,
  type Expression,
  type Lowering,
} from './lowering.ts';

const infix =
  (symbol: string): Expression =>
  (_, [a, b]) =>
    `${a} ${symbol} ${b}`;

/** A divisor as a variable: WGSL refuses integer division by a literal 0. */
const divisor = (writer: KernelWriter, value: string, dtype: DType): string =>
  isFloat(dtype) ? value : writer.let('v', value);

/** A function of the library for floats and one of WGSL's for integers. */
const byKind =
  (ofFloats: LibraryName, ofIntegers: string): Expression =>
  (writer, operands, { inputs: [{ dtype }] }) =>
    isFloat(dtype) ? writer.call(ofFloats, ...operands) : `${ofIntegers}(${operands.join(', ')})`;

const library =
  (name: LibraryName): Expression =>
  (writer, [x]) =>
    writer.call(name, x);

const builtin =
  (name: string): Expression =>
  (_, [x]) =>
    `${name}(${x})`;

const unary = (operator: Operator, cost: number, expression: Expression): Lowering =>
  elementwise(operator, float, cost, expression);

/** Comparisons and logic give bool; bool has no order. */
const logic = (operator: Operator, dtypes: readonly DType[], symbol: string): Lowering =>
  elementwiseOfRounded(operator, dtypes, 1, infix(symbol));

export const elementwiseOperators: readonly Lowering[] = [
  elementwise(core.Add, numeric, 1, infix('+')),
  elementwise(core.Sub, numeric, 1, (writer, [a, b], { inputs: [left, right] }) =>
    left === right && isFloat(left.dtype) ? writer.call('lessItself', roundedOperand(writer, left, a)) : `${a} - ${b}`,
  ),
  // Compilers may replace 0 times anything by 0.
  elementwise(core.Mul, numeric, 1, (writer, [a, b], { inputs: [left, right], outputs: [{ dtype }] }) => {
    if (isFloat(dtype) && splatValue(right) === 0) return writer.call('timesZero', a);
    return isFloat(dtype) && splatValue(left) === 0 ? writer.call('timesZero', b) : `${a} * ${b}`;
  }),
  elementwise(core.Div, numeric, 2, (writer, [a, b], { inputs: [{ dtype }] }) => `${a} / ${divisor(writer, b, dtype)}`),
  elementwise(core.Neg, numeric, 1, (_, [x], { inputs: [{ dtype }] }) => (dtype === 'u32' ? `0u - ${x}` : `-${x}`)),
  unary(core.Reciprocal, 2, (_, [x]) => `1.0f / ${x}`),
  unary(core.Sqrt, 2, builtin('sqrt')),
  elementwiseOfRounded(core.Floor, float, 1, builtin('floor')),
  elementwiseOfRounded(core.Round, float, 1, builtin('round')),
  elementwise(core.Abs, numeric, 1, (_, [x], { inputs: [{ dtype }] }) => (dtype === 'u32' ? x : `abs(${x})`)),
  elementwise(core.Sign, numeric, 1, (_, [x], { inputs: [{ dtype }] }) =>
    dtype === 'u32' ? `min(${x}, 1u)` : `sign(${x})`,
  ),
  elementwise(core.Max, numeric, 2, byKind('maximum', 'max')),
  elementwise(core.Min, numeric, 2, byKind('minimum', 'min')),
  elementwise(core.Mod, numeric, 3, (writer, [a, b], { inputs: [{ dtype }], attributes: { fmod } }) => {
    if (isFloat(dtype)) return writer.call('remainder', a, b);
    return dtype === 'i32' && fmod === 0 ? writer.call('modulo', a, b) : `${a} % ${divisor(writer, b, dtype)}`;
  }),
  elementwise(core.Pow, float, 30, (writer, [a, b]) => writer.call('power', a, b)),

  unary(core.Exp, 8, library('exponential')),
  unary(core.Log, 20, library('logarithm')),
  unary(core.Expm1, 16, library('exponentialLessOne')),
  unary(core.Log1p, 24, library('logarithmOfOnePlus')),
  unary(core.Sin, 16, (writer, [x]) => writer.call('circular', x, '0u')),
  unary(core.Cos, 16, (writer, [x]) => writer.call('circular', x, '1u')),
  unary(core.Tanh, 10, library('hyperbolicTangent')),
  unary(core.Sigmoid, 10, library('logistic')),
  unary(core.Erf, 16, library('errorFunction')),

  logic(core.Equal, any, '=='),
  logic(core.Less, numeric, '<'),
  logic(core.LessOrEqual, numeric, '<='),
  logic(core.And, ['bool'], '&'),
  logic(core.Or, ['bool'], '|'),
  elementwise(core.Not, ['bool'], 1, (_, [x]) => `!${x}`),
  elementwiseOfRounded(core.IsNaN, float, 1, library('isNan')),
  elementwise(core.Where, any, 1, (_, [condition, a, b]) => `select(${b}, ${a}, ${condition})`),

  elementwiseOfRounded(core.Cast, any, 1, (writer, [x], { inputs: [{ dtype }], attributes: { to } }) => {
    if (to === 'bool') {
      if (dtype === 'bool') return x;
      return isFloat(dtype) ? writer.call('isTrue', x) : `${x} != ${writer.literal(0, dtype)}`;
    }
    if (dtype === 'bool') return `select(${writer.literal(0, to)}, ${writer.literal(1, to)}, ${x})`;
    const value = dtype === 'u32' && isFloat(to) ? writer.call('fromUnsigned', x) : `${valueType(to)}(${x})`;
    return to === 'f16' ? writer.call('toHalf', value) : value;
  }),
];
