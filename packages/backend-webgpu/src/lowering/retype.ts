import { apply, type Attributes, type DType, type Operator, type Tensor } from '@flow-matching/tensor';
import { lowering, type Lowering } from './lowering.ts';

interface RetypeAttributes extends Attributes {
  readonly to: DType;
}

/** An f16 as f32 or the other way, unrounded where kernels have it: it is rounded only where it is stored. Only passes write it. */
const Retype: Operator<RetypeAttributes> = {
  name: 'Retype',
  infer: ([{ shape }], { to }) => [{ shape, dtype: to }],
};

/** `x` as `dtype`, of which it is already or which differs as f16 and f32 do. */
export const retyped = (x: Tensor, dtype: DType): Tensor =>
  x.dtype === dtype ? x : apply(Retype, [x], { to: dtype })[0];

export const retype: Lowering = lowering(
  Retype,
  { kind: 'element', dtypes: [], cost: 0 },
  (writer, { inputs: [x] }, index) => writer.value(x, index),
);
