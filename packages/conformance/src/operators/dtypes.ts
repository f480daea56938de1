import type { DType } from '@flow-matching/tensor';

/** The dtypes that operators accept, as in the reference's manifest. */
export const floats: readonly DType[] = ['f16', 'f32', 'f64'];
/** The floats that can hold sums of some millions. */
export const wideFloats: readonly DType[] = ['f32', 'f64'];
export const numeric: readonly DType[] = [...floats, 'i32', 'u32'];
export const all: readonly DType[] = [...numeric, 'bool'];
export const booleans: readonly DType[] = ['bool'];
