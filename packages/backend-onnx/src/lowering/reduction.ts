import * as core from '@flow-matching/tensor';
import { sizeOf, type Node, type ReduceAttributes } from '@flow-matching/tensor';
import { TensorProto_DataType } from '../generated/onnx_pb.ts';
import { elementType } from '../model/elementType.ts';
import type { ModelWriter } from '../model/modelWriter.ts';
import { filled } from './filled.ts';
import { float, lowering, type Lower, type Lowering } from './lowering.ts';

/** The ONNX reduction `operator`; `empty` is its value for no elements. */
export function reduction(operator: string, empty: number): Lower<ReduceAttributes> {
  return (
    write: ModelWriter,
    [x],
    { inputs: [tensor], outputs: [reduced], attributes: { axes, keepdims } }: Node<ReduceAttributes>,
  ) =>
    tensor.size === 0
      ? filled(write, empty, reduced)
      : write.node(operator, [x, write.integers(axes)], { keepdims: keepdims ? 1 : 0 });
}

const integersToo = ['f32', 'f64', 'i32'] as const;

/** With fewer rows, ReduceSum is as fast. */
const rowsWorthAProduct = 32;

/**
 * Sums over leading axes are a row of ones times a matrix: ONNX Runtime's ReduceSum takes two to four times as long, and every
 * dense layer has such a sum, the gradient of its bias.
 */
const sum: Lower<ReduceAttributes> = (write, inputs, node) => {
  const {
    inputs: [tensor],
    outputs: [reduced],
    attributes: { axes },
  } = node;
  const rows = sizeOf(tensor.shape.slice(0, axes.length));
  const leading = axes.every((axis, i) => axis === i) && axes.length < tensor.rank;
  if (tensor.dtype === 'i32') return integerSum(write, inputs, node);
  if (!leading || tensor.size === 0 || rows < rowsWorthAProduct || tensor.size === rows)
    return reduction('ReduceSum', 0)(write, inputs, node);
  const matrix =
    tensor.rank === 2 ? inputs[0] : write.node('Reshape', [inputs[0], write.integers([rows, tensor.size / rows])]);
  const ones = filled(write, 1, { shape: [1, rows], dtype: tensor.dtype });
  return write.node('Reshape', [write.node('MatMul', [ones, matrix]), write.integers(reduced.shape)]);
};

/** In 64 bits, keeping the lower half: ONNX Runtime's sum of i32 saturates instead of wrapping around. */
const integerSum: Lower<ReduceAttributes> = (write, [x], node) => {
  if (node.inputs[0].size === 0) return filled(write, 0, node.outputs[0]);
  const wide = write.node('Cast', [x], { to: TensorProto_DataType.INT64 });
  return write.node('Cast', [reduction('ReduceSum', 0)(write, [wide], node)], { to: elementType.i32 });
};

export const reductions: readonly Lowering[] = [
  lowering(core.ReduceSum, integersToo, sum),
  // The shape rule refuses an empty reduction.
  lowering(core.ReduceMax, integersToo, reduction('ReduceMax', Number.NaN)),
  lowering(core.ReduceMin, integersToo, reduction('ReduceMin', Number.NaN)),
  lowering(core.ReduceMean.operator, float, reduction('ReduceMean', Number.NaN)),
];
