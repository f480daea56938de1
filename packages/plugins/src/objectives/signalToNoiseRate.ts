import { type PathCoefficients } from '@flow-matching/core';
import { abs, maximum, minimum, type Tensor } from '@flow-matching/tensor';

/** Above every rate of a diffusion path at usable times; it bounds the rates of paths that start at scale 0 or end at std 0. */
const largestRate = 2 ** 17;
/** Far below every relevant scale and std in f32; it turns 0/0 into 0. */
const tiny = 1e-30;

const bounded = (rate: Tensor, coefficient: Tensor): Tensor =>
  minimum(rate.div(maximum(abs(coefficient), tiny)), largestRate);

/**
 * d/dt log(a²/σ²), the rate at which a path's signal-to-noise ratio grows: 2(a′/a − σ′/σ), each part at most 2¹⁷. It is g²/σ², with g
 * the diffusion of the path's stochastic differential equation.
 */
export function signalToNoiseRate({ scale, std, scaleRate, stdRate }: PathCoefficients): Tensor {
  return bounded(scaleRate, scale).add(bounded(stdRate.neg(), std)).mul(2);
}
