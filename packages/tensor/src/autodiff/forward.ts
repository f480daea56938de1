import { CallSite } from '../graph/callSite.ts';
import type { Node } from '../graph/node.ts';
import type { MaybeTensor } from '../graph/operator.ts';
import type { Tensor } from '../graph/tensor.ts';
import { zerosLike } from '../operators/constant.ts';
import { expand, identity } from '../operators/movement.ts';
import { isFloat } from '../tensor/dtype.ts';
import { decompose, nodesBetween } from './walk.ts';

/** Tangents of `outputs` from tangents of `sources`: J·tangents, as new graph nodes. `undefined` for outputs that do not depend on a source. */
export function pushforward(
  outputs: readonly Tensor[],
  sources: readonly Tensor[],
  tangents: readonly MaybeTensor[],
): MaybeTensor[] {
  const known = new Map<Tensor, Tensor>();
  sources.forEach((source, i) => tangents[i] && known.set(source, tangents[i]));
  for (const node of nodesBetween(sources, outputs)) {
    const given = node.inputs.map((tensor) => known.get(tensor));
    if (given.every((tangent) => tangent === undefined)) continue;
    const flows = CallSite.with(node.callSite, () => tangentsOfOutputs(node, given));
    flows?.forEach((tangent, i) => {
      const output = node.outputs[i];
      // The tangent of a broadcast operand has the operand's own, smaller shape.
      if (tangent && isFloat(output.dtype)) known.set(output, expand(tangent, output.shape));
    });
  }
  return outputs.map((output) => known.get(output));
}

function tangentsOfOutputs(node: Node, tangents: readonly MaybeTensor[]): readonly MaybeTensor[] | undefined {
  if (node.operator.jvp) return node.operator.jvp(node, tangents);
  if (!node.operator.body) return undefined;
  const { inputs, outputs } = decompose(node);
  return pushforward(outputs, inputs, tangents);
}

/**
 * Forward mode: a function's outputs at `primals` and their derivatives along `tangents` (`undefined` is a zero tangent).
 *
 *     const { outputs: [v], tangents: [dv] } = jvp((x) => [field(x)], [x], [direction])
 */
export function jvp(
  formula: (...primals: Tensor[]) => readonly Tensor[],
  primals: readonly Tensor[],
  tangents: readonly MaybeTensor[],
): { outputs: readonly Tensor[]; tangents: Tensor[] } {
  const inputs = primals.map(identity);
  const outputs = formula(...inputs);
  return {
    outputs,
    tangents: pushforward(outputs, inputs, tangents).map((tangent, i) => tangent ?? zerosLike(outputs[i])),
  };
}
