import {
  apply,
  ConvWeightGradient,
  MatMul,
  rebuild,
  reduceSum,
  reshape,
  rewriteGraph,
  transpose,
  type Attributes,
  type ConvAttributes,
  type Graph,
  type Node,
  type Operator,
  type Tensor,
} from '@flow-matching/tensor';
import type { AdapterProfile } from './adapterProfile.ts';
import { retyped } from '../lowering/retype.ts';
import { productOf } from '../products/productOf.ts';

/** One workgroup computes a block of about 64 × 64 results; this many of them keep a GPU busy. */
const [block, enough] = [64, 128];
/** The smallest number of terms worth a separate part. */
const leastTerms = 256;

/**
 * Splits products with long sums and few results along the sum, so that more of a GPU is used: the parts become batches, whose
 * results are then added up. Gradients of weights are an example.
 */
export function splitProducts(graph: Graph, { software }: AdapterProfile): Graph {
  if (software) return graph;
  return rewriteGraph(graph, (node, inputs) => {
    const cut = cuts[node.operator.name];
    const result = cut?.(node, inputs);
    return result ? [result] : rebuild(node, inputs);
  });
}

type Cut = (node: Node, inputs: readonly Tensor[]) => Tensor | undefined;

/** The number of parts of an axis: as many as wanted, but a divisor of its length. */
function sharesOf(node: Node, length: number): number {
  const { batch, rows, columns, depth } = productOf(node);
  const workgroups = batch * Math.ceil(rows / block) * Math.ceil(columns / block);
  const wanted = Math.min(Math.floor(enough / workgroups), Math.floor(depth / leastTerms), length);
  for (let shares = wanted; shares > 1; shares--) if (length % shares === 0) return shares;
  return 1;
}

/** A product with f32 results instead of f16: parts of a sum are not rounded before they are added up. */
const summedInSingle = <A extends Attributes>(operator: Operator<A>): Operator<A> => ({
  ...operator,
  infer: (types, attributes) =>
    operator.infer(types, attributes).map(({ shape, dtype }) => ({ shape, dtype: dtype === 'f16' ? 'f32' : dtype })),
});

const cuts: Readonly<Record<string, Cut>> = {
  MatMul(node, [a, b]) {
    if (a.rank !== 2 || b.rank !== 2) return undefined;
    const [rows, depth] = a.shape;
    const columns = b.shape[1];
    const shares = sharesOf(node, depth);
    if (shares === 1) return undefined;
    const left = transpose(reshape(a, [rows, shares, depth / shares]), [1, 0, 2]);
    const [parts] = apply(summedInSingle(MatMul), [left, reshape(b, [shares, depth / shares, columns])], {});
    return retyped(reduceSum(parts, 0), a.dtype);
  },

  // Parts of the batch become groups of channels.
  [ConvWeightGradient.name](node, [x, g]) {
    const shares = sharesOf(node, x.shape[0]);
    if (shares === 1) return undefined;
    const [{ shape }] = node.outputs;
    const attributes = node.attributes as unknown as ConvAttributes;
    const grouped = (image: Tensor): Tensor => {
      const [batch, channels, ...places] = image.shape;
      const apart = transpose(reshape(image, [shares, batch / shares, channels, ...places]), [1, 0, 2, 3, 4]);
      return reshape(apart, [batch / shares, shares * channels, ...places]);
    };
    const [gradients] = apply(summedInSingle(ConvWeightGradient), [grouped(x), grouped(g)], {
      ...attributes,
      group: attributes.group * shares,
      shape: [shares * shape[0], ...shape.slice(1)],
    });
    return retyped(reduceSum(reshape(gradients, [shares, ...shape]), 0), x.dtype);
  },
};
