import { apply, type Operator, type Tensor } from '@flow-matching/core';
import { lowering, type Lowering } from './lowering.ts';

/** An f32 for an f16, rounded only where it is stored: what sums of f16 end with that are computed in f32. Only passes write it. */
const AsHalf: Operator = {
  name: 'AsHalf',
  infer: ([{ shape }]) => [{ shape, dtype: 'f16' }],
};

/** `x` where it is of `dtype` already, or as f16. */
export const asDType = (x: Tensor, dtype: Tensor['dtype']): Tensor =>
  x.dtype === dtype ? x : apply(AsHalf, [x], {})[0];

export const half: Lowering = lowering(
  AsHalf,
  { kind: 'element', dtypes: [], cost: 0 },
  (writer, { inputs: [x] }, index) => writer.value(x, index),
);
