import * as core from '@flow-matching/tensor';
import { sameShape, type DType, type Tensor } from '@flow-matching/tensor';
import { DataType } from '../../generated/saved_model_pb.ts';
import { dataType, type GraphWriter, type Value } from '../graphWriter.ts';
import { any, float, lowering, numeric, same, type Lower, type Lowering } from './lowering.ts';
import { narrowed, widened } from './unsigned.ts';

const { DT_INT64, DT_BOOL } = DataType;

/** `op` on numbers; u32 is computed in int64 and converted back unless the result is bool. */
const wide =
  (op: string, integerOp = op): Lower =>
  (write, inputs, { inputs: [{ dtype }], outputs: [result] }) => {
    if (dtype !== 'u32') return write.typed(core.isFloat(dtype) ? op : integerOp, dataType[dtype], inputs);
    const value = write.typed(
      integerOp,
      DT_INT64,
      inputs.map((x) => widened(write, x)),
    );
    return result.dtype === 'bool' ? value : narrowed(write, value);
  };

/** ONNX's Mod: with fmod the sign of the dividend, otherwise of the divisor. */
const modulo = (write: GraphWriter, inputs: readonly Value[], dtype: DType, fmod: 0 | 1): Value => {
  const op = fmod === 1 ? 'TruncateMod' : 'FloorMod';
  if (dtype !== 'u32') return write.typed(op, dataType[dtype], inputs);
  const long = inputs.map((x) => widened(write, x));
  return narrowed(write, write.typed('FloorMod', DT_INT64, long));
};

/** Whether a tensor is a row that is added to each row of another. */
const isBias = (row: Tensor, { rank, shape }: Tensor): boolean =>
  core.isFloat(row.dtype) && rank > 1 && row.rank === 1 && row.shape[0] === shape[rank - 1];

/** Elementwise arithmetic, comparisons and logic. */
export const elementwise: readonly Lowering[] = [
  lowering(core.Add, numeric, (write, operands, { inputs }) => {
    const type = dataType[inputs[0].dtype];
    const bias = inputs.findIndex((tensor, i) => isBias(tensor, inputs[1 - i]));
    // TensorFlow fuses BiasAdd, but not AddV2, with the preceding product.
    if (bias >= 0) return write.typed('BiasAdd', type, [operands[1 - bias], operands[bias]]);
    return write.typed('AddV2', type, operands);
  }),
  same(core.Sub, numeric),
  same(core.Mul, numeric),
  lowering(core.Div, numeric, wide('RealDiv', 'TruncateDiv')),
  same(core.Neg, numeric),
  lowering(core.Reciprocal, float, (write, [x], { outputs: [{ dtype }] }) =>
    write.typed('RealDiv', dataType[dtype], [write.scalar(1, dtype), x]),
  ),
  same(core.Sqrt, float),
  same(core.Pow, float),
  lowering(core.Max, numeric, wide('Maximum')),
  lowering(core.Min, numeric, wide('Minimum')),
  lowering(core.Abs, numeric, (write, [x], { inputs: [{ dtype }] }) =>
    dtype === 'u32' ? x : write.typed('Abs', dataType[dtype], [x]),
  ),
  lowering(core.Sign, numeric, (write, [x], { inputs: [{ dtype }] }) =>
    dtype === 'u32'
      ? converted(write, converted(write, x, 'u32', 'bool'), 'bool', 'u32')
      : write.typed('Sign', dataType[dtype], [x]),
  ),
  same(core.Floor, float),
  same(core.Round, float, 'Rint'),
  lowering(core.Mod, numeric, (write, inputs, { inputs: [{ dtype }], attributes: { fmod } }) =>
    modulo(write, inputs, dtype, fmod),
  ),

  same(core.Exp, float),
  same(core.Log, float),
  same(core.Expm1, float),
  same(core.Log1p, float),
  same(core.Sin, float),
  same(core.Cos, float),
  same(core.Tanh, float),
  same(core.Sigmoid, float),
  same(core.Erf, float),

  lowering(core.Equal, any, (write, inputs, { inputs: [{ dtype }] }) => write.typed('Equal', dataType[dtype], inputs)),
  lowering(core.Less, numeric, wide('Less')),
  lowering(core.LessOrEqual, numeric, wide('LessEqual')),
  lowering(core.And, ['bool'], (write, inputs) => write.node('LogicalAnd', inputs)),
  lowering(core.Or, ['bool'], (write, inputs) => write.node('LogicalOr', inputs)),
  lowering(core.Not, ['bool'], (write, inputs) => write.node('LogicalNot', inputs)),
  same(core.IsNaN, float, 'IsNan'),
  lowering(core.Where, any, (write, operands, { inputs, outputs: [{ dtype, shape }] }) => {
    const type = dataType[dtype];
    const [condition, ...branches] = inputs;
    if (condition.rank > 0 || branches.some((branch) => !sameShape(branch.shape, shape))) {
      return write.typed('SelectV2', type, operands);
    }
    // With a single condition, one branch is forwarded without the copy that a selection would make.
    const [chosen, ...values] = operands;
    const [yes, no] = values.map((value) => write.typed('Switch', type, [value, chosen]));
    return write.typed('Merge', type, [`${yes}:1`, no], { N: { int: 2 } });
  }),
  lowering(core.Cast, any, (write, [x], { inputs: [{ dtype: from }], attributes: { to } }) =>
    converted(write, x, from, to),
  ),
];

function converted(write: GraphWriter, x: Value, from: DType, to: DType): Value {
  if (from === to) return x;
  const convert = (value: Value, source: DataType, target: DataType): Value =>
    write.node('Cast', [value], { SrcT: { type: source }, DstT: { type: target } });
  if (to === 'bool') return write.typed('NotEqual', dataType[from], [x, write.scalar(0, from)]);
  // Signed and unsigned integers have the same bits.
  if (from === 'u32') return to === 'i32' ? x : convert(widened(write, x), DT_INT64, dataType[to]);
  if (to === 'u32') {
    if (from === 'i32') return x;
    return from === 'bool' ? convert(x, DT_BOOL, dataType.u32) : narrowed(write, convert(x, dataType[from], DT_INT64));
  }
  return convert(x, dataType[from], dataType[to]);
}
