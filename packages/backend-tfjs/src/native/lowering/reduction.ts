import * as core from '@flow-matching/core';
import type { ReduceAttributes } from '@flow-matching/core';
import { DataType } from '../../generated/saved_model_pb.ts';
import { dataType } from '../graphWriter.ts';
import { float, lowering, numeric, signed, type Lower, type Lowering } from './lowering.ts';

const reduction =
  (op: string): Lower<ReduceAttributes> =>
  (write, [x], { inputs: [{ dtype }], attributes: { axes, keepdims } }) =>
    write.typed(op, dataType[dtype], [x, write.integers(axes)], {
      Tidx: { type: DataType.DT_INT32 },
      keep_dims: { bool: keepdims },
    });

export const reductions: readonly Lowering[] = [
  // Sums of u32 wrap around as those of the int32 with their bits do.
  lowering(core.ReduceSum, numeric, reduction('Sum')),
  lowering(core.ReduceMax, signed, reduction('Max')),
  lowering(core.ReduceMin, signed, reduction('Min')),
  lowering(core.ReduceMean.operator, float, reduction('Mean')),
];
