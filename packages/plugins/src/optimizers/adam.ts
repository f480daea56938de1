import { defineOptimizer, type Optimizer } from '@flow-matching/core';
import * as z from 'zod';
import { adamOptions, adamUpdate, zeroMoments } from './adamUpdate.ts';
import { optimizerNested } from './optimizerOptions.ts';

/** Adam (Kingma & Ba 2015, arXiv 1412.6980). */
export const adam = defineOptimizer({
  name: 'adam',
  summary: 'Adam: steps scaled by running moments of the gradient',
  options: z.strictObject(adamOptions),
  nested: optimizerNested,
  create: ({ learningRate, schedule, ...settings }): Optimizer => ({
    name: 'adam',
    learningRate,
    schedule,
    init: zeroMoments,
    update: (request) => adamUpdate(request.parameter, request, settings),
  }),
});
