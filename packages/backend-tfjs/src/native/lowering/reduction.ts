import * as core from '@flow-matching/tensor';
import type { ReduceAttributes } from '@flow-matching/tensor';
import { DataType } from '../../generated/saved_model_pb.ts';
import { dataType, indexType, type Value } from '../graphWriter.ts';
import { float, lowering, numeric, type Lower, type Lowering } from './lowering.ts';

const reduction =
  (op: string): Lower<ReduceAttributes> =>
  (write, [x], { inputs: [{ dtype }], attributes: { axes, keepdims } }) =>
    write.typed(op, dataType[dtype], [x, write.integers(axes)], {
      Tidx: indexType,
      keep_dims: { bool: keepdims },
    });

/** With the highest bit flipped, u32 values have the order of the int32 with the same bits. */
const ordered =
  (op: string): Lower<ReduceAttributes> =>
  (write, [x], node) => {
    const turned = (value: Value): Value =>
      write.typed('BitwiseXor', DataType.DT_INT32, [value, write.scalar(-(2 ** 31), 'i32')]);
    if (node.inputs[0].dtype !== 'u32') return reduction(op)(write, [x], node);
    return turned(reduction(op)(write, [turned(x)], node));
  };

export const reductions: readonly Lowering[] = [
  // Sums of u32 wrap around like those of the int32 with the same bits.
  lowering(core.ReduceSum, numeric, reduction('Sum')),
  lowering(core.ReduceMax, numeric, ordered('Max')),
  lowering(core.ReduceMin, numeric, ordered('Min')),
  lowering(core.ReduceMean.operator, float, reduction('Mean')),
];
