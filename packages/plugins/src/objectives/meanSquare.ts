import type { Tensor } from '@flow-matching/tensor';

/** Squares averaged over the dimensions of each point: [batch] from [batch, ...event]. */
export const meanSquare = (error: Tensor): Tensor => error.square().mean(error.shape.slice(1).map((_, i) => i + 1));
