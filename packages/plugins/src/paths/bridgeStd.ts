import type { TimeInterval } from '@flow-matching/core';
import type { Tensor } from '@flow-matching/tensor';
import { squareRootCut } from './timeCuts.ts';

/** σ√(t(1 − t)), the standard deviation of a Brownian bridge of diffusion σ at time t. */
export const bridgeStd =
  (sigma: number) =>
  (t: Tensor): Tensor =>
    t.mul(t.neg().add(1)).sqrt().mul(sigma);

/** σ′ grows without bound towards both ends. */
export const bridgeInterval: TimeInterval = { start: squareRootCut, end: 1 - squareRootCut };
