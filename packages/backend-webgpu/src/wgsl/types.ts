import type { DType } from '@flow-matching/tensor';

/** The type of a value in a kernel, and in memory. */
interface WgslType {
  readonly value: string;
  readonly stored: string;
}

/** Kernels compute f16 as f32, so that intermediate sums and squares neither overflow nor underflow; stored values are rounded. */
const types: Readonly<Partial<Record<DType, WgslType>>> = {
  f16: { value: 'f32', stored: 'f16' },
  f32: { value: 'f32', stored: 'f32' },
  i32: { value: 'i32', stored: 'i32' },
  u32: { value: 'u32', stored: 'u32' },
  bool: { value: 'bool', stored: 'u32' },
};

/** The dtypes that kernels support; f16 only if the device has it. */
export const kernelDTypes: readonly DType[] = ['f16', 'f32', 'i32', 'u32', 'bool'];

/** The type of a dtype's values in a kernel. */
export const valueType = (dtype: DType): string => types[dtype]!.value;
/** The type of a dtype's elements in memory. */
export const storedType = (dtype: DType): string => types[dtype]!.stored;

/** A number as an expression of a dtype's values. Infinities and NaN use a variable: WGSL refuses them in constants. */
export function literalOf(value: number, dtype: DType): string {
  if (dtype === 'bool') return value === 0 ? 'false' : 'true';
  if (dtype === 'u32') return `${value >>> 0}u`;
  if (dtype === 'i32') return `i32(${value | 0})`;
  // f16 literals too: kernels compute in f32, which can represent a count of 70,000 elements or an ε of 1e-8.
  const single = Math.fround(value);
  if (Number.isNaN(single)) return 'bitcast<f32>(nanBits)';
  if (Math.abs(single) === Infinity) return single > 0 ? 'bitcast<f32>(infinityBits)' : '-bitcast<f32>(infinityBits)';
  return Object.is(single, -0)
    ? '-0.0f'
    : `${String(single).includes('.') || String(single).includes('e') ? single : `${single}.0`}f`;
}
