import { defineCoupling } from '@flow-matching/core';
import { type HostRandomStream } from '@flow-matching/tensor';
import * as z from 'zod';
import { drawPermutation } from '../transport/drawPermutation.ts';
import { entropicPlan } from '../transport/entropicPlan.ts';
import { squaredDistances } from '../transport/squaredDistances.ts';
import { couplingInSteps } from './couplingInSteps.ts';
import { planOptions } from './planOptions.ts';
import { refuseConditions } from './refuseConditions.ts';

/**
 * The coupling of the Schrödinger bridge with Brownian motion of diffusion σ: entropic transport at ε = 2σ² (Tong et al. 2024,
 * "Simulation-free Schrödinger bridges via score and flow matching", Proposition 3.1). A permutation is drawn from the plan
 * without replacement, such that each pair has exactly the plan's probability: see drawPermutation. Its draws depend only on
 * seed and step.
 *
 * If σ is small relative to the data, many iterations are needed: ten at σ = 1 on points of size 5, a hundred at σ = 0.1.
 *
 * @throws NumericalError if the plan does not balance or a point is not finite; DataError for conditions, unless they are
 *   ignored.
 */
export const schrodingerBridgeCoupling = defineCoupling({
  name: 'schrodinger-bridge',
  summary: 'A permutation drawn from the entropic plan at ε = 2σ²',
  options: z.strictObject({
    sigma: z
      .float32()
      .positive()
      .default(1)
      .describe("Diffusion of the bridge, in the data's unit: the sigma of the path"),
    ...planOptions,
  }),
  create: ({ sigma, ignoreCondition, ...settings }) =>
    couplingInSteps('schrodinger-bridge', function* (request) {
      refuseConditions('schrodinger-bridge', request, ignoreCondition);
      const costs = squaredDistances(request.x1, request.x0);
      const plan = yield* entropicPlan(costs, { ...settings, epsilon: 2 * sigma ** 2 });
      return yield* drawPermutation(plan, costs, uniforms(request.random));
    }),
});

/** Uniforms one at a time; the stream returns them in blocks. */
function uniforms(random: HostRandomStream): () => number {
  let [block, next] = [random.uniform([1024]).data, 0];
  return () => {
    if (next === block.length) [block, next] = [random.uniform([1024]).data, 0];
    return block[next++];
  };
}
