import {
  apply,
  isFloat,
  rebuild,
  rewriteGraph,
  sameShape,
  type Attributes,
  type Graph,
  type Node,
  type Operator,
  type Tensor,
} from '@flow-matching/tensor';
import { filled } from '../lowering/filled.ts';
import { float, lowering, type Lowering } from '../lowering/lowering.ts';
import { countUses } from './countUses.ts';

interface GemmAttributes extends Attributes {
  readonly transA: 0 | 1;
  readonly transB: 0 | 1;
}

/** ONNX's Gemm: A·B + C with either matrix optionally transposed, and an optional C that is broadcast to the product. */
const Gemm: Operator<GemmAttributes> = {
  name: 'Gemm',
  infer: ([a, b], { transA, transB }) => [
    { shape: [a.shape[transA ? 1 : 0], b.shape[transB ? 0 : 1]], dtype: a.dtype },
  ],
};

export const gemmLowering: Lowering = lowering(
  Gemm,
  float,
  (write, inputs, { inputs: [a], outputs: [product], attributes }) => {
    if (a.size > 0) return write.node('Gemm', inputs, { transA: attributes.transA, transB: attributes.transB });
    return inputs[2] === undefined
      ? filled(write, 0, product)
      : write.node('Add', [filled(write, 0, product), inputs[2]]);
  },
);

/** Turns products of two matrices into Gemms that read transposed operands in place; Transposes without other uses are removed. */
export function fuseTransposes(graph: Graph): Graph {
  return rewriteGraph(graph, (node, inputs) => {
    if (node.operator.name !== 'MatMul' || inputs.some((tensor) => tensor.rank !== 2) || !isFloat(inputs[0].dtype))
      return rebuild(node, inputs);
    const [a, b] = inputs.map((tensor) => (isTransposed(tensor) ? tensor.node.inputs[0] : tensor));
    return apply(Gemm, [a, b], { transA: a === inputs[0] ? 0 : 1, transB: b === inputs[1] ? 0 : 1 });
  });
}

/** For a tensor with two axes. */
const isTransposed = ({ node }: Tensor): boolean =>
  node.operator.name === 'Transpose' && (node.attributes.perm as number[])[0] === 1;

/** A Gemm that is only used by an addition takes the other term as its C: the bias of a dense layer needs no separate pass. */
export function fuseBias(graph: Graph): Graph {
  const uses = countUses(graph);
  return rewriteGraph(graph, (node, inputs) => {
    if (node.operator.name !== 'Add') return rebuild(node, inputs);
    const [{ shape }] = node.outputs;
    // With a larger term, the product would have to be broadcast.
    const at = [0, 1].find(
      (i) => isBare(inputs[i]) && uses.get(node.inputs[i]) === 1 && sameShape(inputs[i].shape, shape),
    );
    if (at === undefined) return rebuild(node, inputs);
    const product = inputs[at].node as unknown as Node<GemmAttributes>;
    return apply(Gemm, [...product.inputs, inputs[1 - at]], product.attributes);
  });
}

/** Whether a tensor is a Gemm without a C. */
const isBare = ({ node }: Tensor): boolean =>
  node.operator === (Gemm as unknown as Operator) && node.inputs.length === 2;
