import { z } from 'zod';

/** Options of an adaptive method. See AdaptiveOptions in core. */
export const adaptiveOptions = z.strictObject({
  /** Error allowed a step relative to the solution's size. */
  rtol: z.number().min(0).default(1e-5),
  /** Error allowed a step in the solution's own unit. */
  atol: z.number().min(0).default(1e-5),
  /** Attempts after which the solve ends. */
  maxSteps: z.int().positive().default(10_000),
  /** Each sample has its own step size, so that its result does not depend on its neighbours. */
  perSample: z.boolean().default(false),
  /** Factor on the step size that the error estimate asks for. */
  safety: z.number().positive().max(1).default(0.9),
  /** Bounds of the change of step size. */
  minFactor: z.number().positive().lt(1).default(0.2),
  maxFactor: z.number().gt(1).default(10),
  /** Exponents of the step controller. These take as many evaluations as integral control (0 and 1), reject fewer steps and err less. */
  proportional: z.number().min(0).default(0.3),
  integral: z.number().min(0).default(0.7),
  /** Size of the first step; estimated at the price of one evaluation where it is not given. */
  firstStep: z.number().positive().exactOptional(),
});
