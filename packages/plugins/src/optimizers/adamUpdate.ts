import { type OptimizerUpdate } from '@flow-matching/core';
import {
  composite,
  expm1,
  hostArray,
  onesLike,
  sizeOf,
  toStorage,
  type Attributes,
  type HostArray,
  type DType,
  type Shape,
  type Tensor,
} from '@flow-matching/tensor';
import * as z from 'zod';
import { optimizerOptions } from './optimizerOptions.ts';

/** Options of Adam and its variants. */
export const adamOptions = {
  ...optimizerOptions,
  beta1: z.float32().min(0).lt(1).default(0.9).describe('Decay of the running mean of the gradients'),
  beta2: z.float32().min(0).lt(1).default(0.999).describe('Decay of the running mean of the squared gradients'),
  epsilon: z
    .float32()
    .positive()
    .default(1e-8)
    .describe("Added to the root of the second moment, in the gradient's unit"),
};

interface AdamSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

interface AdamUpdateAttributes extends Attributes {
  readonly beta1: number;
  readonly beta2: number;
}

/**
 * The arithmetic of Adam on one array, a composite so that a backend can do it in one pass. Inputs: parameter, both moments and
 * gradient, of one shape; then the scalars rate and ε̂, which include the bias corrections. Outputs: parameter and both
 * moments.
 */
export const AdamUpdate = composite<AdamUpdateAttributes>(
  'AdamUpdate',
  ([parameter, firstMoment, secondMoment, gradient, rate, epsilonHat], { beta1, beta2 }) => {
    const first = firstMoment.mul(beta1).add(gradient.mul(1 - beta1));
    const second = secondMoment.mul(beta2).add(gradient.square().mul(1 - beta2));
    const step = first.div(second.sqrt().add(epsilonHat)).mul(rate);
    return [parameter.sub(step), first, second];
  },
);

/** Moments before the first step. */
export function zeroMoments({ shape, dtype }: { readonly shape: Shape; readonly dtype: DType }): {
  firstMoment: HostArray;
  secondMoment: HostArray;
} {
  const zeros = (): HostArray => hostArray(toStorage(new Float64Array(sizeOf(shape)), dtype), shape, dtype);
  return { firstMoment: zeros(), secondMoment: zeros() };
}

/**
 * One Adam step of `parameter`. The bias corrections 1 − βᵗ go into two scalars, rate = lr·√c2/c1 and ε̂ = ε·√c2, instead of
 * two passes over the moments.
 */
export function adamUpdate(
  parameter: Tensor,
  { gradient, state, learningRate, step }: OptimizerUpdate,
  { beta1, beta2, epsilon }: AdamSettings,
) {
  const [c1, c2] = [biasCorrection(step, beta1), biasCorrection(step, beta2)];
  const rate = learningRate.mul(c2.sqrt()).div(c1).cast(parameter.dtype);
  const epsilonHat = c2.sqrt().mul(epsilon).cast(parameter.dtype);
  const { firstMoment, secondMoment } = state;
  const [updated, first, second] = AdamUpdate([parameter, firstMoment, secondMoment, gradient, rate, epsilonHat], {
    beta1,
    beta2,
  });
  return { parameter: updated, state: { firstMoment: first, secondMoment: second } };
}

/** 1 − βᵗ, without the cancellation at small t that loses digits in f32. */
const biasCorrection = (step: Tensor, beta: number): Tensor =>
  beta === 0 ? onesLike(step) : expm1(step.mul(Math.log(beta))).neg();
