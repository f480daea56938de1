import type { Tensor } from '@flow-matching/core';

/** Squares averaged over the dimensions of each point: [batch] from [batch, ...event]. */
export const meanSquare = (error: Tensor): Tensor => error.square().mean(error.shape.slice(1).map((_, i) => i + 1));
