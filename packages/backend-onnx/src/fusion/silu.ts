import { apply, rebuild, rewriteGraph, type Graph, type Operator, type Tensor } from '@flow-matching/tensor';
import { lowering, type Lowering } from '../lowering/lowering.ts';
import { countUses } from './countUses.ts';

/** x·sigmoid(x) in one pass: ONNX Runtime's QuickGelu with α = 1. */
const Silu: Operator = { name: 'QuickGelu', infer: ([x]) => [{ shape: x.shape, dtype: x.dtype }] };

export const siluLowering: Lowering = lowering(Silu, ['f32'], (write, inputs) =>
  write.contrib('QuickGelu', inputs, { alpha: { float: 1 } }),
);

/** Fuses x·sigmoid(x) if nothing else uses the sigmoid: if a gradient uses it too, two passes that share it are cheaper. */
export function fuseSilu(graph: Graph): Graph {
  const uses = countUses(graph);
  const isGate = (gate: Tensor, x: Tensor): boolean =>
    gate.node.operator.name === 'Sigmoid' && gate.node.inputs[0] === x && gate.dtype === 'f32' && uses.get(gate) === 1;
  return rewriteGraph(graph, (node, inputs) => {
    if (node.operator.name !== 'Mul') return rebuild(node, inputs);
    const at = [0, 1].find((i) => isGate(node.inputs[1 - i], node.inputs[i]));
    return at === undefined ? rebuild(node, inputs) : apply(Silu, [inputs[at]], {});
  });
}
