import { concat, constant, cos, sin, type Tensor } from '@flow-matching/tensor';

export interface TimeEmbedding {
  /** Number of features. */
  size(frequencies: number): number;
  /** t [batch] to features [batch, size]. */
  embed(t: Tensor, frequencies: number): Tensor;
}

/** Cosines and sines of t times each rate: [batch, 2·rates]. */
function waves(t: Tensor, rates: readonly number[]): Tensor {
  const angles = t.reshape([-1, 1]).mul(constant([rates]));
  return concat([cos(angles), sin(angles)], 1);
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Time embeddings by their names in model options. */
export const timeEmbeddings = {
  /** t itself. */
  concatenate: { size: () => 1, embed: (t) => t.reshape([-1, 1]) },
  /** Half waves cos(πkt), sin(πkt), k = 1, 2, …: with full waves, t = 0 and t = 1 would be indistinguishable. */
  fourier: {
    size: (frequencies) => 2 * frequencies,
    embed: (t, frequencies) =>
      waves(
        t,
        range(frequencies).map((k) => Math.PI * (k + 1)),
      ),
  },
  /** Vaswani et al. 2017, section 3.5, at position 1000·t: geometric rates from 1 down to 1/10000, which would hardly vary over t in [0, 1]. */
  sinusoidal: {
    size: (frequencies) => 2 * frequencies,
    embed: (t, frequencies) =>
      waves(
        t,
        range(frequencies).map((k) => 1000 * 10_000 ** (-k / frequencies)),
      ),
  },
} as const satisfies Readonly<Record<string, TimeEmbedding>>;

export type TimeEmbeddingName = keyof typeof timeEmbeddings;
export const timeEmbeddingNames = Object.keys(timeEmbeddings) as [TimeEmbeddingName, ...TimeEmbeddingName[]];
