import type { DType } from '@flow-matching/tensor';

/** The dtype used for values of a dtype between operators: f16 is rounded only where the result would reveal it. */
export const wide = (dtype: DType): DType => (dtype === 'f16' ? 'f32' : dtype);
