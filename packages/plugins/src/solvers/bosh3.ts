import type { ButcherTableau } from '@flow-matching/core';
import { embeddedMethod } from './rungeKuttaMethods.ts';

export const bosh3Tableau: ButcherTableau = {
  order: 3,
  nodes: [0, 1 / 2, 3 / 4, 1],
  stages: [[], [1 / 2], [0, 3 / 4], [2 / 9, 1 / 3, 4 / 9]],
  weights: [2 / 9, 1 / 3, 4 / 9, 0],
  embedded: { order: 2, errorWeights: [-5 / 72, 1 / 12, 1 / 9, -1 / 8] },
  firstSameAsLast: true,
};

/** Bogacki & Shampine 1989, "A 3(2) pair of Runge–Kutta formulas": adaptive, three new evaluations per step. */
export const bosh3 = embeddedMethod({
  name: 'bosh3',
  summary: 'Bogacki–Shampine 3(2), adaptive steps',
  tableau: bosh3Tableau,
});
