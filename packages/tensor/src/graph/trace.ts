import '../operators/methods.ts';
import type { DType } from '../tensor/dtype.ts';
import type { Shape, TensorType } from '../tensor/shape.ts';
import { Graph, input } from './graph.ts';
import type { Tensor } from './tensor.ts';
import { flattenTree, mapTree, type MapTree, type Tree } from './tree.ts';

/** A tensor type, for use in {@link trace}: `f32([256, 2])`. */
const typeOf =
  (dtype: DType) =>
  (shape: Shape = []): TensorType => ({ shape, dtype });
export const f16 = typeOf('f16');
export const f32 = typeOf('f32');
export const f64 = typeOf('f64');
export const i32 = typeOf('i32');
export const u32 = typeOf('u32');
export const bool = typeOf('bool');

/** Symbolic tensors with the nesting of their types. */
export type Symbolic<T> = MapTree<T, TensorType, Tensor>;

/**
 * Builds the graph of a function by calling it once on symbolic tensors. Inputs and outputs are trees; their dotted paths name
 * the graph's ports (a lone input is `input`, a lone output `output`).
 *
 *     const graph = trace(({ x, t }) => ({ y: x.mul(t) }), { x: f32([256, 2]), t: f32([256, 1]) })
 */
export function trace<Inputs extends Tree<TensorType>>(
  formula: (inputs: Symbolic<Inputs>) => Tree<Tensor>,
  inputs: Inputs,
): Graph {
  const symbols = mapTree<TensorType, Tensor>(inputs, (type, name) => input(name, type), 'input');
  const ports = flattenTree<Tensor>(symbols, 'input').map(([name, tensor]) => ({ name, tensor }));
  const outputs = flattenTree<Tensor>(formula(symbols as Symbolic<Inputs>), 'output').map(([name, tensor]) => ({
    name,
    tensor,
  }));
  return new Graph(ports, outputs);
}
