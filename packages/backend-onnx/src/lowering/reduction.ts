import * as core from '@flow-matching/core';
import type { Node, ReduceAttributes } from '@flow-matching/core';
import type { ModelWriter } from '../model/modelWriter.ts';
import { filled } from './filled.ts';
import { float, lowering, type Lower, type Lowering } from './lowering.ts';

/** The ONNX reduction `operator`; over no elements it is `empty`. */
function reduction(operator: string, empty: number): Lower<ReduceAttributes> {
  return (write: ModelWriter, [x], { inputs: [tensor], outputs: [reduced], attributes: { axes, keepdims } }: Node<ReduceAttributes>) =>
    tensor.size === 0 ? filled(write, empty, reduced) : write.node(operator, [x, write.integers(axes)], { keepdims: keepdims ? 1 : 0 });
}

const integersToo = ['f32', 'f64', 'i32'] as const;

export const reductions: readonly Lowering[] = [
  lowering(core.ReduceSum, integersToo, reduction('ReduceSum', 0)),
  // A reduction over no elements is refused by the shape rule.
  lowering(core.ReduceMax, integersToo, reduction('ReduceMax', Number.NaN)),
  lowering(core.ReduceMin, integersToo, reduction('ReduceMin', Number.NaN)),
  lowering(core.ReduceMean.operator, float, reduction('ReduceMean', Number.NaN)),
];
