import { definePath, twoSidedPath } from '@flow-matching/core';
import * as z from 'zod';
import { bridgeInterval, bridgeStd } from './bridgeStd.ts';

/**
 * Brownian bridges between pairs: mean (1 − t)·x0 + t·x1 and std σ√(t(1 − t)). With pairs from the entropic coupling of
 * regularization 2σ² the marginals are those of the Schrödinger bridge (Tong et al. 2023, "Simulation-free Schrödinger bridges via
 * score and flow matching"). It runs from 10⁻⁵ to 1 − 10⁻⁵.
 */
export const schrodingerBridge = definePath({
  name: 'schrodinger-bridge',
  summary: 'Brownian bridges from source to data points, std σ√(t(1 − t))',
  options: z.strictObject({
    sigma: z.float32().positive().default(1).describe("Diffusion of the bridge, in the data's unit"),
  }),
  create: ({ sigma }) =>
    twoSidedPath({
      name: 'schrodinger-bridge',
      check: false,
      interval: bridgeInterval,
      mean: (t, x0, x1) => x0.mul(t.neg().add(1)).add(x1.mul(t)),
      std: bridgeStd(sigma),
    }),
});
