import * as core from '@flow-matching/tensor';
import type { DType } from '@flow-matching/tensor';
import { TensorProto_DataType } from '../generated/onnx_pb.ts';
import { elementType } from '../model/elementType.ts';
import { any, float, lowering, numeric, same, type Lowering } from './lowering.ts';

const withoutUnsigned = ['f32', 'f64', 'i32'] as const;

/** The dtype that operands of Where are cast to if ONNX Runtime has no kernel for their own. */
const carriers: Partial<Record<DType, TensorProto_DataType>> = {
  u32: TensorProto_DataType.INT64,
  bool: TensorProto_DataType.UINT8,
};

/** Elementwise arithmetic, comparisons and logic. */
export const elementwise: readonly Lowering[] = [
  same(core.Add, numeric),
  same(core.Sub, numeric),
  same(core.Mul, numeric),
  same(core.Div, numeric),
  same(core.Neg, withoutUnsigned),
  same(core.Reciprocal, float),
  same(core.Sqrt, float),
  same(core.Pow, float),
  same(core.Max, numeric),
  same(core.Min, numeric),
  same(core.Abs, numeric),
  same(core.Sign, numeric),
  same(core.Floor, float),
  same(core.Round, float),
  lowering(core.Mod, numeric, (write, inputs, { attributes: { fmod } }) => write.node('Mod', inputs, { fmod })),

  same(core.Exp, float),
  same(core.Log, float),
  same(core.Sin, float),
  same(core.Cos, float),
  same(core.Tanh, float),
  same(core.Sigmoid, float),
  same(core.Erf, ['f32']),
  // exp(x) − 1 = tanh(x/2)·(exp(x) + 1): no cancellation near 0, and correct at both infinities.
  lowering(core.Expm1, float, (write, [x], { outputs: [{ dtype }] }) => {
    const half = write.node('Tanh', [write.node('Mul', [x, write.scalar(0.5, dtype)])]);
    return write.node('Mul', [half, write.node('Add', [write.node('Exp', [x]), write.scalar(1, dtype)])]);
  }),
  // log(u) + (x − (u − 1))/u with u = 1 + x rounded: the second term corrects the rounding.
  lowering(core.Log1p, float, (write, [x], { outputs: [{ dtype }] }) => {
    const one = write.scalar(1, dtype);
    const u = write.node('Add', [x, one]);
    const lost = write.node('Sub', [x, write.node('Sub', [u, one])]);
    // At x = −1 the divisor would be 0; no other u is below the bound.
    const share = write.node('Div', [lost, write.node('Max', [u, write.scalar(1e-20, dtype)])]);
    const log = write.node('Log', [u]);
    // For large x nothing is lost, and at infinity the correction would be ∞ − ∞.
    return write.node('Where', [
      write.node('Less', [x, write.scalar(1e18, dtype)]),
      write.node('Add', [log, share]),
      log,
    ]);
  }),

  same(core.Equal, any),
  same(core.Less, numeric),
  same(core.LessOrEqual, numeric),
  same(core.And, ['bool']),
  same(core.Or, ['bool']),
  same(core.Not, ['bool']),
  same(core.IsNaN, float),
  lowering(core.Where, any, (write, [condition, ...branches], { outputs: [{ dtype }] }) => {
    const carrier = carriers[dtype];
    if (carrier === undefined) return write.node('Where', [condition, ...branches]);
    const carried = branches.map((branch) => write.node('Cast', [branch], { to: carrier }));
    return write.node('Cast', [write.node('Where', [condition, ...carried])], { to: elementType[dtype] });
  }),
];
