import { DifferentiationError } from '../errors.ts';
import { CallSite } from '../graph/callSite.ts';
import type { Node } from '../graph/node.ts';
import type { MaybeTensor } from '../graph/operator.ts';
import type { Tensor } from '../graph/tensor.ts';
import { flattenTree, mapTree, type Tree } from '../graph/tree.ts';
import { addMaybe, unbroadcast } from '../operators/archetypes.ts';
import { onesLike, zerosLike } from '../operators/constant.ts';
import { identity } from '../operators/movement.ts';
import { isFloat } from '../tensor/dtype.ts';
import { formatShape, formatType, sameShape } from '../tensor/shape.ts';
import { decompose, nodesBetween } from './walk.ts';

/**
 * Cotangents of `sources` from cotangents of `outputs`: Jᵀ·cotangents, as new graph nodes. `undefined` for sources that no
 * output depends on. Sources count as independent variables even if one is computed from another.
 */
export function pullback(
  outputs: readonly Tensor[],
  cotangents: readonly MaybeTensor[],
  sources: readonly Tensor[],
): MaybeTensor[] {
  const collected = new Map<Tensor, Tensor>();
  const collect = (tensor: Tensor, cotangent: MaybeTensor): void => {
    if (!cotangent || !isFloat(tensor.dtype)) return;
    collected.set(tensor, addMaybe(collected.get(tensor), unbroadcast(cotangent, tensor))!);
  };
  outputs.forEach((tensor, i) => collect(tensor, cotangents[i]));
  for (const node of nodesBetween(sources, outputs).toReversed()) {
    const given = node.outputs.map((tensor) => collected.get(tensor));
    if (given.every((cotangent) => cotangent === undefined)) continue;
    const flows = CallSite.with(node.callSite, () => cotangentsOfInputs(node, given));
    flows?.forEach((cotangent, i) => collect(node.inputs[i], cotangent));
  }
  return sources.map((source) => collected.get(source));
}

function cotangentsOfInputs(node: Node, cotangents: readonly MaybeTensor[]): readonly MaybeTensor[] | undefined {
  if (node.operator.vjp) return node.operator.vjp(node, cotangents);
  if (!node.operator.body) return undefined;
  const { inputs, outputs } = decompose(node);
  return pullback(outputs, cotangents, inputs);
}

/** A function's outputs, and the map from their cotangents to those of its inputs. */
export interface Vjp {
  readonly outputs: readonly Tensor[];
  readonly pullback: (cotangents: readonly MaybeTensor[]) => Tensor[];
}

/**
 * Reverse mode of a traced function at `primals`. `pullback` may be called more than once.
 *
 *     const { outputs, pullback } = vjp((x, w) => [x.matmul(w)], [x, w])
 */
export function vjp(formula: (...primals: Tensor[]) => readonly Tensor[], primals: readonly Tensor[]): Vjp {
  const inputs = primals.map(identity);
  const outputs = formula(...inputs);
  return {
    outputs,
    pullback: (cotangents) =>
      pullback(outputs, cotangents, inputs).map((cotangent, i) => cotangent ?? zerosLike(inputs[i])),
  };
}

/**
 * Value and gradient of a scalar function of a tree of tensors. Gradients have the nesting of the parameters.
 *
 * @throws DifferentiationError if the value is not a float scalar, or a leaf does not have a float dtype.
 */
export function valueAndGrad<T extends Tree<Tensor>>(
  formula: (at: T) => Tensor,
  at: T,
): { value: Tensor; gradient: T } {
  const fresh = mapTree<Tensor, Tensor>(at, identity) as T;
  const leaves = flattenTree<Tensor>(fresh);
  const mismatch = leaves.find(([, leaf]) => !isFloat(leaf.dtype));
  if (mismatch) {
    throw new DifferentiationError(`'${mismatch[0]}' is ${formatType(mismatch[1])}.`, {
      actual: mismatch[1].dtype,
      expected: 'float leaves',
    });
  }
  const value = formula(fresh);
  if (!sameShape(value.shape, []) || !isFloat(value.dtype)) {
    throw new DifferentiationError(`The function returns ${formatType(value)}.`, {
      actual: formatShape(value.shape),
      expected: 'a float scalar',
      remedy: 'Reduce it with sum() or mean().',
      callSite: value.node.callSite,
    });
  }
  const sources = leaves.map(([, leaf]) => leaf);
  const gradients = pullback([value], [onesLike(value)], sources);
  const byName = new Map(leaves.map(([name, leaf], i) => [name, gradients[i] ?? zerosLike(leaf)]));
  return { value, gradient: mapTree<Tensor, Tensor>(at, (_, name) => byName.get(name)!) as T };
}

/** The gradient of a scalar function of a tree of tensors. */
export function grad<T extends Tree<Tensor>>(formula: (at: T) => Tensor, at: T): T {
  return valueAndGrad(formula, at).gradient;
}
