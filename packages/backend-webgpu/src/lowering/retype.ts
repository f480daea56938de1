import { apply, type Attributes, type DType, type Operator, type Tensor } from '@flow-matching/tensor';
import { lowering, type Lowering } from './lowering.ts';

interface RetypeAttributes extends Attributes {
  readonly to: DType;
}

/** Converts f16 to f32 or back without rounding inside kernels: values are rounded only when stored. Used only by passes. */
const Retype: Operator<RetypeAttributes> = {
  name: 'Retype',
  infer: ([{ shape }], { to }) => [{ shape, dtype: to }],
};

/** `x` as `dtype`, which is its dtype already or differs as f16 and f32 do. */
export const retyped = (x: Tensor, dtype: DType): Tensor =>
  x.dtype === dtype ? x : apply(Retype, [x], { to: dtype })[0];

export const retype: Lowering = lowering(
  Retype,
  { kind: 'element', dtypes: [], cost: 0 },
  (writer, { inputs: [x] }, index) => writer.value(x, index),
);
