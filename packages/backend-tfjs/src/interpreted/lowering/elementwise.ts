import * as core from '@flow-matching/tensor';
import { splatValue, type DType, type Operator } from '@flow-matching/tensor';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Operations } from '../operations.ts';
import { byDefinition } from './byDefinition.ts';
import { circular } from './circular.ts';
import { kernelOr, type Formula } from './composed.ts';
import { keepingNaN, logarithm, power, quotient } from './guarded.ts';
import { erf, expm1, log1p, tanh } from './nearZero.ts';
import { any, binary, float, lowering, numeric, signed, unary, type Lower, type Lowering } from './lowering.ts';

/** For integers: kernels convert them to floats, which cannot represent all of them. */
const negated = (operations: Operations, x: TensorInfo): TensorInfo =>
  operations.run('Sub', { a: operations.filled(0, [], 'i32'), b: x });

/** The kernel, with NaN of its second operand restored, which it may lose. */
const extremum =
  (kernel: string): Lower =>
  (operations, [a, b], { inputs: [, second], outputs: [{ dtype, shape }] }) => {
    const result = operations.run(kernel, { a, b });
    if (dtype !== 'f32' || !Number.isNaN(splatValue(second) ?? Number.NaN)) return result;
    const e = result;
    const [condition, t] = [operations.run('IsNan', { x: b }), b].map((x) => operations.expand(x, shape));
    return operations.select(condition, t, e);
  };

/** The kernel, or a composition of others if the engine's own is wrong. */
const composed = (operator: Operator, formula: Formula): Lowering =>
  lowering(operator, float, (operations, [x]) => kernelOr(operations, operator.name, x, formula));

/** Elementwise arithmetic and functions. */
export const elementwise: readonly Lowering[] = [
  binary(core.Add, numeric),
  binary(core.Sub, numeric),
  binary(core.Mul, numeric, 'Multiply'),
  lowering(core.Div, float, (operations, [a, b], node) =>
    'Div' in operations.engine.kind.decomposed ? quotient(operations, a, b, node) : operations.run('RealDiv', { a, b }),
  ),
  lowering(core.Neg, numeric, (operations, [x], { inputs: [{ dtype }] }) =>
    dtype === 'f32' ? operations.run('Neg', { x }) : negated(operations, x),
  ),
  unary(core.Reciprocal, float),
  unary(core.Sqrt, float),
  lowering(core.Pow, float, (operations, [a, b]) =>
    'Pow' in operations.engine.kind.decomposed ? power(operations, a, b) : operations.run('Pow', { a, b }),
  ),
  lowering(core.Max, signed, extremum('Maximum')),
  lowering(core.Min, signed, extremum('Minimum')),
  lowering(core.Abs, signed, (operations, [x], { inputs: [{ dtype }] }) =>
    dtype === 'f32' ? operations.run('Abs', { x }) : operations.run('Maximum', { a: x, b: negated(operations, x) }),
  ),
  unary(core.Sign, float),
  unary(core.Floor, float),
  unary(core.Round, float),
  // Kernels have the divisor's sign, ONNX's fmod has the dividend's.
  lowering(core.Mod, [], byDefinition),

  composed(core.Exp, keepingNaN('Exp')),
  composed(core.Log, logarithm),
  composed(core.Expm1, expm1),
  composed(core.Log1p, log1p),
  composed(core.Sin, (operations, x) => circular(operations, x, 0)),
  composed(core.Cos, (operations, x) => circular(operations, x, 1)),
  composed(core.Tanh, tanh),
  composed(core.Sigmoid, keepingNaN('Sigmoid')),
  composed(core.Erf, erf),

  lowering(core.Cast, any, (operations, [x], node) => {
    const { inputs, attributes } = node;
    if (attributes.to === 'f16' || attributes.to === 'f64') return byDefinition(operations, [x], node);
    return converted(operations, x, inputs[0].dtype, attributes.to);
  }),
];

function converted(operations: Operations, x: TensorInfo, from: DType, to: DType): TensorInfo {
  if (to === 'bool') return operations.run('NotEqual', { a: x, b: operations.filled(0, [], from) });
  // Signed and unsigned integers have the same bits.
  if (from === to || (from === 'i32' && to === 'u32') || (from === 'u32' && to === 'i32')) return operations.same(x);
  return operations.run('Cast', { x }, { dtype: to === 'f32' ? 'float32' : 'int32' });
}
