import { defineOptimizer, type Optimizer } from '@flow-matching/core';
import { hostArray, OptionError, sizeOf, toStorage } from '@flow-matching/tensor';
import * as z from 'zod';
import { optimizerNested, optimizerOptions } from './optimizerOptions.ts';

/**
 * Stochastic gradient descent with momentum in PyTorch's form: velocity ← momentum·velocity + gradient, then a step along the
 * velocity or, with `nesterov`, along gradient + momentum·velocity.
 *
 * @throws OptionError for `nesterov` without momentum.
 */
export const sgd = defineOptimizer({
  name: 'sgd',
  summary: "Gradient descent with momentum, Nesterov's too",
  options: z.strictObject({
    ...optimizerOptions,
    momentum: z.float32().min(0).lt(1).default(0).describe('Decay of the running sum of gradients'),
    nesterov: z.boolean().default(false).describe('Use Nesterov momentum'),
  }),
  nested: optimizerNested,
  create: ({ learningRate, schedule, momentum, nesterov }): Optimizer => {
    if (nesterov && momentum === 0) {
      throw new OptionError("Nesterov's step needs momentum.", { actual: momentum, expected: 'a momentum above 0' });
    }
    return {
      name: 'sgd',
      learningRate,
      schedule,
      init: ({ shape, dtype }) =>
        momentum === 0 ? {} : { velocity: hostArray(toStorage(new Float64Array(sizeOf(shape)), dtype), shape, dtype) },
      update: ({ parameter, gradient, state, learningRate }) => {
        const rate = learningRate.cast(parameter.dtype);
        if (momentum === 0) return { parameter: parameter.sub(gradient.mul(rate)), state: {} };
        const velocity = state['velocity'].mul(momentum).add(gradient);
        const direction = nesterov ? gradient.add(velocity.mul(momentum)) : velocity;
        return { parameter: parameter.sub(direction.mul(rate)), state: { velocity } };
      },
    };
  },
});
