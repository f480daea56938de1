import type { ButcherTableau } from '@flow-matching/core';
import { embeddedMethod } from './rungeKuttaMethods.ts';

export const adaptiveHeunTableau: ButcherTableau = {
  order: 2,
  nodes: [0, 1],
  stages: [[], [1]],
  weights: [1 / 2, 1 / 2],
  embedded: { order: 1, errorWeights: [-1 / 2, 1 / 2] },
};

/** Heun's second-order method with Euler's as its error estimate: adaptive, two evaluations per step. */
export const adaptiveHeun = embeddedMethod({
  name: 'adaptive-heun',
  summary: 'Heun–Euler 2(1), adaptive steps',
  tableau: adaptiveHeunTableau,
});
