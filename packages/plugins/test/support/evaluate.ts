import {
  evaluateGraph,
  sizeOf,
  trace,
  type HostArray,
  type Shape,
  type Tensor,
  type TensorType,
} from '@flow-matching/tensor';

type Nested = number | readonly Nested[];

function shapeOf(values: Nested): number[] {
  return typeof values === 'number' ? [] : [values.length, ...shapeOf(values[0])];
}

/** Numbers as an f32 input of the reference, in f64. */
export function f64Input(values: Nested, shape: Shape = shapeOf(values)): HostArray {
  const flat = typeof values === 'number' ? [values] : (values as number[]).flat(Infinity);
  if (flat.length !== sizeOf(shape)) throw new Error('Values do not fill the shape.');
  return { data: Float64Array.from(flat), shape, dtype: 'f32' };
}

/** A traced formula's outputs on the reference, in f64, by name. */
export function evaluate(
  formula: (inputs: Record<string, Tensor>) => Record<string, Tensor>,
  inputs: Record<string, HostArray>,
): Record<string, number[]> {
  const types = Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, dtype }]): [string, TensorType] => [name, { shape, dtype }]),
  );
  const outputs = evaluateGraph(
    trace((symbols) => formula(symbols as Record<string, Tensor>), types),
    inputs,
  );
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, Array.from(data)]));
}
