import type { DType } from '@flow-matching/tensor';

/** The dtype that holds numbers of a dtype between operators: f16 is rounded only where that shows. */
export const wide = (dtype: DType): DType => (dtype === 'f16' ? 'f32' : dtype);
