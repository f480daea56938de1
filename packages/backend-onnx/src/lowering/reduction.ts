import * as core from '@flow-matching/core';
import { isFloat, sizeOf, type Node, type ReduceAttributes } from '@flow-matching/core';
import type { ModelWriter } from '../model/modelWriter.ts';
import { filled } from './filled.ts';
import { float, lowering, type Lower, type Lowering } from './lowering.ts';

/** The ONNX reduction `operator`; over no elements it is `empty`. */
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

/** Fewer rows are summed as fast by ReduceSum. */
const rowsWorthAProduct = 32;

/**
 * Sums over leading axes are a row of ones times a matrix: ONNX Runtime's ReduceSum takes two to four times as long over them,
 * and every dense layer has one, the gradient of its bias.
 */
const sum: Lower<ReduceAttributes> = (write, inputs, node) => {
  const {
    inputs: [tensor],
    outputs: [reduced],
    attributes: { axes },
  } = node;
  const rows = sizeOf(tensor.shape.slice(0, axes.length));
  const leading = axes.every((axis, i) => axis === i) && axes.length < tensor.rank;
  if (!leading || !isFloat(tensor.dtype) || tensor.size === 0 || rows < rowsWorthAProduct || tensor.size === rows)
    return reduction('ReduceSum', 0)(write, inputs, node);
  const matrix =
    tensor.rank === 2 ? inputs[0] : write.node('Reshape', [inputs[0], write.integers([rows, tensor.size / rows])]);
  const ones = filled(write, 1, { shape: [1, rows], dtype: tensor.dtype });
  return write.node('Reshape', [write.node('MatMul', [ones, matrix]), write.integers(reduced.shape)]);
};

export const reductions: readonly Lowering[] = [
  lowering(core.ReduceSum, integersToo, sum),
  // A reduction over no elements is refused by the shape rule.
  lowering(core.ReduceMax, integersToo, reduction('ReduceMax', Number.NaN)),
  lowering(core.ReduceMin, integersToo, reduction('ReduceMin', Number.NaN)),
  lowering(core.ReduceMean.operator, float, reduction('ReduceMean', Number.NaN)),
];
