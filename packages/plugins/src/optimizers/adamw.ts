import { defineOptimizer, type Optimizer } from '@flow-matching/core';
import * as z from 'zod';
import { adamOptions, adamUpdate, zeroMoments } from './adamUpdate.ts';
import { optimizerNested } from './optimizerOptions.ts';

/** Adam with decoupled weight decay (Loshchilov & Hutter 2019, arXiv 1711.05101): parameters shrink by learningRate·weightDecay per step. */
export const adamw = defineOptimizer({
  name: 'adamw',
  summary: 'Adam with decoupled weight decay',
  options: z.strictObject({
    ...adamOptions,
    weightDecay: z.float32().min(0).default(1e-2).describe('Decay of the parameters per step, times the learning rate'),
  }),
  nested: optimizerNested,
  create: ({ learningRate, schedule, weightDecay, ...settings }): Optimizer => ({
    name: 'adamw',
    learningRate,
    schedule,
    init: zeroMoments,
    update: (request) => {
      const { parameter, learningRate } = request;
      const kept = learningRate.mul(-weightDecay).add(1).cast(parameter.dtype);
      return adamUpdate(parameter.mul(kept), request, settings);
    },
  }),
});
