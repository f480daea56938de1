import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Operations } from '../operations.ts';

export const times = (operations: Operations, a: TensorInfo, b: TensorInfo): TensorInfo =>
  operations.run('Multiply', { a, b });

export const plus = (operations: Operations, a: TensorInfo, value: number): TensorInfo =>
  operations.run('Add', { a, b: operations.filled(value, [], 'f32') });

/** c₀ + c₁·z + c₂·z² + …, evaluated from the far end. */
export const polynomial = (operations: Operations, z: TensorInfo, coefficients: readonly number[]): TensorInfo =>
  coefficients
    .slice(0, -1)
    .reduceRight(
      (sum, coefficient) => plus(operations, times(operations, sum, z), coefficient),
      operations.filled(coefficients.at(-1)!, z.shape, 'f32'),
    );

export type Formula = (operations: Operations, x: TensorInfo) => TensorInfo;

/** A unary kernel, or a formula if the engine's own is wrong. */
export const kernelOr = (operations: Operations, name: string, x: TensorInfo, formula: Formula): TensorInfo =>
  name in operations.engine.kind.decomposed ? formula(operations, x) : operations.run(name, { x });
