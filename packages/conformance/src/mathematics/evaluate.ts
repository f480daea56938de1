import {
  flattenTree,
  hostArray,
  mapTree,
  type HostArray,
  type MapTree,
  type Shape,
  type Tensor,
  type Tree,
} from '@flow-matching/tensor';
import { referenceOf, resultsOf, type Formula } from '../case/agreement.ts';
import type { CaseContext } from '../case/conformanceCase.ts';

export type Arrays = Readonly<Record<string, HostArray>>;
/** A formula with named inputs and outputs. */
export type NamedFormula = (inputs: Record<string, Tensor>) => Readonly<Record<string, Tensor>>;

/** Numbers rounded to f32, so that every backend gets the same. */
export const floats = (values: readonly number[], shape: Shape = [values.length]): HostArray =>
  hostArray(Float32Array.from(values), shape);

/** A formula's outputs on the case's backend, nested as it returns them. */
export async function evaluate<Inputs extends Tree<HostArray>, Outputs extends Tree<Tensor>>(
  context: CaseContext,
  formula: (inputs: MapTree<Inputs, HostArray, Tensor>) => Outputs,
  inputs: Inputs,
): Promise<MapTree<Outputs, Tensor, HostArray>> {
  const { positional, nested } = positionalOf(formula, inputs);
  return nested(await resultsOf(context, positional, leavesOf(inputs)));
}

/** The same on the reference in f64. */
export function evaluateInDouble<Inputs extends Tree<HostArray>, Outputs extends Tree<Tensor>>(
  formula: (inputs: MapTree<Inputs, HostArray, Tensor>) => Outputs,
  inputs: Inputs,
): MapTree<Outputs, Tensor, HostArray> {
  const { positional, nested } = positionalOf(formula, inputs);
  return nested(referenceOf(positional, leavesOf(inputs)));
}

/** The leaves of a tree, in its order. */
export const leavesOf = <Leaf>(tree: Tree<Leaf>): Leaf[] => flattenTree<Leaf>(tree).map(([, leaf]) => leaf);

/** The formula on lists of leaves, and the way back. */
function positionalOf<Inputs extends Tree<HostArray>, Outputs extends Tree<Tensor>>(
  formula: (inputs: MapTree<Inputs, HostArray, Tensor>) => Outputs,
  inputs: Inputs,
): { positional: Formula; nested: (results: readonly HostArray[]) => MapTree<Outputs, Tensor, HostArray> } {
  let outputs: Tree<Tensor>;
  return {
    positional: (...tensors) => {
      outputs = formula(withLeaves(inputs, tensors) as MapTree<Inputs, HostArray, Tensor>);
      return leavesOf(outputs);
    },
    nested: (results) => withLeaves(outputs, results) as MapTree<Outputs, Tensor, HostArray>,
  };
}

/** The nesting of a tree with other leaves, in its order. */
export function withLeaves<Leaf>(tree: Tree<unknown>, leaves: readonly Leaf[]): Tree<Leaf> {
  let next = 0;
  return mapTree<unknown, Leaf>(tree, () => leaves[next++]);
}
