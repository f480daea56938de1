import type { DType } from '@flow-matching/tensor';

/** Which dtypes operators take, as the reference's manifest has it. */
export const floats: readonly DType[] = ['f16', 'f32', 'f64'];
/** Those that hold sums of some thousands of thousands. */
export const wideFloats: readonly DType[] = ['f32', 'f64'];
export const numeric: readonly DType[] = [...floats, 'i32', 'u32'];
export const all: readonly DType[] = [...numeric, 'bool'];
export const booleans: readonly DType[] = ['bool'];
