import { ShapeError } from '../errors.ts';
import { composite, type Composite } from '../graph/composite.ts';
import type { Attributes } from '../graph/operator.ts';
import type { Tensor } from '../graph/tensor.ts';
import { greater, not, or, where } from '../operators/logic.ts';
import { matmul, transposeLast } from '../operators/matmul.ts';
import { reduceMax } from '../operators/reduction.ts';
import { formatShape } from '../tensor/shape.ts';
import { softmax } from './softmax.ts';

interface AttentionAttributes extends Attributes {
  readonly scale: number;
}

/** (q, k, v, mask?) → softmax(q·kᵀ·scale + mask)·v. A bool mask is true for keys that are attended to; a float mask is added to the scores. */
export const Attention: Composite<AttentionAttributes> = composite<AttentionAttributes>(
  'Attention',
  ([q, k, v, mask], { scale }) => {
    if (q.rank !== 4 || k.rank !== 4 || v.rank !== 4) {
      throw new ShapeError(
        `Attention takes four axes, not ${[q, k, v].map(({ shape }) => formatShape(shape)).join(', ')}.`,
        {
          actual: [q.shape, k.shape, v.shape],
          expected: '[batch, heads, tokens, channels]',
        },
      );
    }
    // Scaling the queries is cheaper than scaling the scores.
    const scores = matmul(q.mul(scale), transposeLast(k));
    return matmul(mask ? maskedSoftmax(scores, mask) : softmax(scores), v);
  },
);

/** Softmax over the unmasked keys. A fully masked row is 0: it is computed unmasked, so that it stays finite, and then dropped. */
function maskedSoftmax(scores: Tensor, mask: Tensor): Tensor {
  if (mask.dtype === 'bool') {
    const sighted = greater(reduceMax(mask.cast(scores.dtype), -1, { keepdims: true }), 0);
    return where(sighted, softmax(where(or(mask, not(sighted)), scores, -Infinity)), 0);
  }
  const sighted = greater(reduceMax(mask, -1, { keepdims: true }), -Infinity);
  return where(sighted, softmax(scores.add(where(sighted, mask, 0))), 0);
}

export interface AttentionOptions {
  /** Broadcasts to [batch, heads, queries, keys]: bool (true: attend) or float, added to the scores. A fully masked row gives 0. */
  readonly mask?: Tensor;
  /** Multiplies the scores. Default 1/√channels. */
  readonly scale?: number;
}

/**
 * Scaled dot-product attention (Vaswani et al., arXiv 1706.03762): q [batch, heads, queries, channels], k [batch, heads, keys,
 * channels] and v [batch, heads, keys, values] to [batch, heads, queries, values].
 */
export function scaledDotProductAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { mask, scale }: AttentionOptions = {},
): Tensor {
  return Attention(mask ? [q, k, v, mask] : [q, k, v], { scale: scale ?? 1 / Math.sqrt(q.shape.at(-1) ?? 1) })[0];
}
