import { isFloat, type DType } from '../tensor/dtype.ts';

/** The dtypes that a backend supports, by kind: what the rows of a lowering table name. */
export interface DTypeSets {
  readonly float: readonly DType[];
  readonly integer: readonly DType[];
  /** Floats and signed integers. */
  readonly signed: readonly DType[];
  /** Floats and integers. */
  readonly numeric: readonly DType[];
  /** All of them, bool included. */
  readonly any: readonly DType[];
}

/** The kinds of the dtypes that a backend supports, in the order given. */
export function dtypeSets(any: readonly DType[]): DTypeSets {
  const numeric = any.filter((dtype) => dtype !== 'bool');
  return {
    float: numeric.filter((dtype) => isFloat(dtype)),
    integer: numeric.filter((dtype) => !isFloat(dtype)),
    signed: numeric.filter((dtype) => dtype !== 'u32'),
    numeric,
    any,
  };
}
