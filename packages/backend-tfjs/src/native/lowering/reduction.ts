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

/** With the highest bit turned round, numbers of u32 are in the order of the int32 with their bits. */
const ordered =
  (op: string): Lower<ReduceAttributes> =>
  (write, [x], node) => {
    const turned = (value: Value): Value =>
      write.typed('BitwiseXor', DataType.DT_INT32, [value, write.scalar(-(2 ** 31), 'i32')]);
    if (node.inputs[0].dtype !== 'u32') return reduction(op)(write, [x], node);
    return turned(reduction(op)(write, [turned(x)], node));
  };

export const reductions: readonly Lowering[] = [
  // Sums of u32 wrap around as those of the int32 with their bits do.
  lowering(core.ReduceSum, numeric, reduction('Sum')),
  lowering(core.ReduceMax, numeric, ordered('Max')),
  lowering(core.ReduceMin, numeric, ordered('Min')),
  lowering(core.ReduceMean.operator, float, reduction('Mean')),
];
