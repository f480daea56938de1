import { defineSolver, explicitRungeKutta, type ButcherTableau } from '@flow-matching/core';
import * as z from 'zod';

const root = Math.sqrt(5);

/** Ralston 1962, "Runge–Kutta methods with minimum error bounds", section 3: of order 4 in four stages. */
export const ralston4Tableau: ButcherTableau = {
  order: 4,
  nodes: [0, 2 / 5, (14 - 3 * root) / 16, 1],
  stages: [
    [],
    [2 / 5],
    [(-2889 + 1428 * root) / 1024, (3785 - 1620 * root) / 1024],
    [(-3365 + 2094 * root) / 6040, (-975 - 3046 * root) / 2552, (467040 + 203968 * root) / 240845],
  ],
  weights: [
    (263 + 24 * root) / 1812,
    (125 - 1000 * root) / 3828,
    (3426304 + 1661952 * root) / 5924787,
    (30 - 4 * root) / 123,
  ],
};

/** Ralston's fourth-order method with equal steps: four evaluations each. */
export const ralston4 = defineSolver({
  name: 'ralston4',
  summary: 'Order 4 (Ralston), fixed steps, four evaluations each',
  options: z.strictObject({
    /** Number of steps. */
    steps: z.int().positive().max(10_000).default(25),
  }),
  create: ({ steps }) => explicitRungeKutta('ralston4', ralston4Tableau, { steps }),
});
