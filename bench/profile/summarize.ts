import type { KernelEvent } from './readTrace.ts';

/** Kernels that are alike, summed over one operation (a step, a solve). */
export interface KernelGroup {
  readonly label: string;
  readonly count: number;
  readonly milliseconds: number;
  /** Floating-point operations of its matrix products. */
  readonly flops: number;
  /** Bytes of its operands and results. */
  readonly bytes: number;
}

const products = new Set(['Gemm', 'MatMul', 'FusedGemm', 'FusedMatMul', 'MatMulAddFusion']);
export const isProduct = (operator: string): boolean => products.has(operator);

const sizeOf = (shape: readonly number[]): number => shape.reduce((size, extent) => size * extent, 1);

/** 2·M·N·K, whichever operand is read transposed: the left one has M·K elements. */
function flopsOf({ operator, inputs, outputs }: KernelEvent): number {
  if (!isProduct(operator) || outputs.length === 0) return 0;
  const [rows, columns] = outputs[0].slice(-2);
  return 2 * columns * rows * (sizeOf(inputs[0]) / rows);
}

const bytesOf = ({ inputs, outputs }: KernelEvent): number =>
  4 * [...inputs, ...outputs].reduce((sum, shape) => sum + sizeOf(shape), 0);

/** Groups by label, largest time first, as means over `operations`. */
export function summarize(
  kernels: readonly KernelEvent[],
  operations: number,
  labelOf: (kernel: KernelEvent) => string,
): KernelGroup[] {
  const groups = new Map<string, { count: number; microseconds: number; flops: number; bytes: number }>();
  for (const kernel of kernels) {
    const label = labelOf(kernel);
    const group = groups.get(label) ?? { count: 0, microseconds: 0, flops: 0, bytes: 0 };
    groups.set(label, group);
    group.count++;
    group.microseconds += kernel.microseconds;
    group.flops += flopsOf(kernel);
    group.bytes += bytesOf(kernel);
  }
  return [...groups]
    .map(([label, { count, microseconds, flops, bytes }]) => ({
      label,
      count: count / operations,
      milliseconds: microseconds / 1000 / operations,
      flops: flops / operations,
      bytes: bytes / operations,
    }))
    .toSorted((a, b) => b.milliseconds - a.milliseconds);
}

const formatShape = (shape: readonly number[]): string => `[${shape.join('×')}]`;

/** The operator with the shapes that tell its cost. */
export const withShapes = ({ operator, inputs, outputs }: KernelEvent): string =>
  `${operator} ${inputs
    .slice(0, isProduct(operator) ? 2 : undefined)
    .map(formatShape)
    .join(' ')} → ${outputs.map(formatShape).join(' ')}`;
