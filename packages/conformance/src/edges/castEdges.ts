import type { DType } from '@flow-matching/tensor';
import { floats, wideFloats } from '../operators/dtypes.ts';
import { onValues, type EdgeUses } from './edgeUses.ts';

const cast = (from: readonly DType[], what: string, values: readonly number[], to: DType): EdgeUses =>
  onValues('Cast', from, what, [values], (x) => x.cast(to));

/** As core and ONNX define Cast. Left out: floats outside the range of the target integer, including NaN. */
export const castEdges: readonly EdgeUses[] = [
  cast(wideFloats, 'to i32 truncates', [0.9, -0.9, 1.5, -1.5, 2.5, 1e9, -1e9, -(2 ** 31), 2147483520, 0, -0], 'i32'),
  cast(wideFloats, 'to u32 truncates', [0.9, 1.5, 2.5, 1e9, 3e9, 4294967040, 0], 'u32'),
  cast(floats, 'to bool is true but for zeros', [0, -0, 0.25, -0.25, Number.NaN, Infinity, 1e30, 2 ** -100], 'bool'),
  cast(['f32'], 'to f64 keeps every value', [Number.NaN, Infinity, -Infinity, 1 / 3, 2 ** 127, 2 ** -126], 'f64'),
  cast(['f64'], 'to f32 rounds', [Number.NaN, Infinity, 1 / 3, 16777217, 16777219, 1e300, -1e300], 'f32'),
  cast(['f16'], 'to i32 truncates', [0.9, -0.9, 1.5, -1.5, 2.5, 65504, -65504, 0, -0], 'i32'),
  cast(['f16'], 'to u32 truncates', [0.9, 1.5, 2.5, 65504, 0], 'u32'),
  cast(['f16'], 'to f32 keeps every value', [Number.NaN, Infinity, -Infinity, 1 / 3, 65504, 2 ** -14], 'f32'),
  cast(['f32'], 'to f16 rounds to even', [Number.NaN, Infinity, 1 / 3, 2049, 2051, 65519, 65521, -1e30], 'f16'),
  cast(['i32'], 'to f16 rounds to even', [2049, 2051, -2049, 65504, 2 ** 31 - 1, -(2 ** 31)], 'f16'),
  cast(['u32'], 'to f16 rounds to even', [2049, 2051, 65504, 2 ** 32 - 1], 'f16'),
  cast(['i32'], 'to f32 rounds to even', [16777217, 16777219, -16777217, 2 ** 31 - 1, -(2 ** 31)], 'f32'),
  cast(['u32'], 'to f32 rounds to even', [16777217, 16777219, 2 ** 31, 2 ** 32 - 1, 4294967167], 'f32'),
  cast(['i32'], 'to f64 keeps every value', [2 ** 31 - 1, -(2 ** 31), -1], 'f64'),
  cast(['u32'], 'to f64 keeps every value', [2 ** 32 - 1, 2 ** 31, 0], 'f64'),
  cast(['i32'], 'to u32 keeps the bits', [-1, -(2 ** 31), 2 ** 31 - 1, 0], 'u32'),
  cast(['u32'], 'to i32 keeps the bits', [2 ** 32 - 1, 2 ** 31, 2 ** 31 - 1, 0], 'i32'),
  cast(['i32'], 'to bool is true but for zero', [0, 1, -1, 256, 2 ** 24], 'bool'),
  cast(['u32'], 'to bool is true but for zero', [0, 1, 256, 2 ** 31], 'bool'),
  ...(['f16', 'f32', 'f64', 'i32', 'u32'] as const).map((to) => cast(['bool'], `to ${to} is 0 or 1`, [0, 1, 1, 0], to)),
];
