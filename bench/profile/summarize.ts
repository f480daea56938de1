import type { Kernel, SessionTrace } from './readTrace.ts';

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
function flopsOf({ operator, inputs, outputs }: Kernel): number {
  if (!isProduct(operator) || outputs.length === 0) return 0;
  const [rows, columns] = outputs[0].slice(-2);
  return 2 * columns * rows * (sizeOf(inputs[0]) / rows);
}

const bytesOf = ({ inputs, outputs }: Kernel): number =>
  4 * [...inputs, ...outputs].reduce((sum, shape) => sum + sizeOf(shape), 0);

/** Groups the kernels of all sessions by label, largest time first, as parts of one of `operations` operations. */
export function summarize(
  traces: readonly SessionTrace[],
  operations: number,
  labelOf: (kernel: Kernel) => string,
): KernelGroup[] {
  const groups = new Map<string, KernelGroup>();
  for (const { kernels, runs } of traces) {
    const times = runs / operations;
    for (const kernel of kernels) {
      const label = labelOf(kernel);
      const { count, milliseconds, flops, bytes } = groups.get(label) ?? {
        count: 0,
        milliseconds: 0,
        flops: 0,
        bytes: 0,
      };
      groups.set(label, {
        label,
        count: count + times,
        milliseconds: milliseconds + (times * kernel.microseconds) / 1000,
        flops: flops + times * flopsOf(kernel),
        bytes: bytes + times * bytesOf(kernel),
      });
    }
  }
  return [...groups.values()].toSorted((a, b) => b.milliseconds - a.milliseconds);
}

const formatShape = (shape: readonly number[]): string => `[${shape.join('×')}]`;

/** The operator with the shapes that tell its cost. */
export const withShapes = ({ operator, inputs, outputs }: Kernel): string =>
  `${operator} ${inputs
    .slice(0, isProduct(operator) ? 2 : undefined)
    .map(formatShape)
    .join(' ')} → ${outputs.map(formatShape).join(' ')}`;
