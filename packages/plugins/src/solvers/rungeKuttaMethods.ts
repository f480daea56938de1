import {
  adaptiveDefaults,
  defineSolver,
  explicitRungeKutta,
  type AdaptiveOptions,
  type ButcherTableau,
  type FixedStepOptions,
} from '@flow-matching/core';
import { OptionError, largestCount, largestStepCount } from '@flow-matching/tensor';
import * as z from 'zod';
import { completeSteps } from './completeSteps.ts';
import { timeGrid, timeGridOption } from './timeGrid.ts';

const fixedStepShape = {
  steps: z.int().positive().max(largestStepCount).exactOptional().describe('Number of fixed steps'),
  evaluations: z
    .int()
    .positive()
    .max(largestStepCount)
    .exactOptional()
    .describe('Evaluations of the field to spend, as an alternative to steps'),
  grid: timeGridOption
    .exactOptional()
    .describe('Spacing of the fixed steps: a named spacing, or increasing fractions of the interval from 0 to 1'),
};

const adaptiveShape = {
  rtol: z.float32().min(0).exactOptional().describe('Error allowed per step, relative to the size of the solution'),
  atol: z.float32().min(0).exactOptional().describe("Error allowed per step, in the data's unit"),
  maxSteps: z
    .int()
    .positive()
    .max(largestCount)
    .exactOptional()
    .describe('Attempted steps after which the solve fails'),
  maxEvaluations: z
    .int()
    .positive()
    .max(largestCount)
    .exactOptional()
    .describe('Evaluations of the field after which the solve fails, as an alternative to maxSteps'),
  perSample: z
    .boolean()
    .exactOptional()
    .describe('Give each sample its own step size, so that its result does not depend on the rest of the batch'),
  safety: z
    .float32()
    .positive()
    .max(1)
    .exactOptional()
    .describe('Factor on the step size that the error estimate proposes'),
  minFactor: z
    .float32()
    .positive()
    .lt(1)
    .exactOptional()
    .describe('Smallest change of the step size from one step to the next, as a factor'),
  maxFactor: z
    .float32()
    .gt(1)
    .exactOptional()
    .describe('Largest change of the step size from one step to the next, as a factor'),
  proportional: z
    .float32()
    .min(0)
    .exactOptional()
    .describe('Proportional exponent of the PI step-size controller; 0 gives plain integral control'),
  integral: z.float32().min(0).exactOptional().describe('Integral exponent of the PI step-size controller'),
  firstStep: z
    .float32()
    .positive()
    .exactOptional()
    .describe('Size of the first step; by default estimated with one more evaluation'),
};

const defaultTolerance = 1e-5;
/** Steps of an embedded method if only a named grid is given. */
const defaultSteps = 20;

/** Options of a method without an error estimate: `steps`, `evaluations` or `grid`. */
export const fixedStepOptions = z.strictObject(fixedStepShape);
/** Options of an embedded method: tolerances, or fixed steps instead. */
export const embeddedOptions = z.strictObject({ ...adaptiveShape, ...fixedStepShape });

interface MethodDefinition {
  readonly name: string;
  readonly summary: string;
  readonly tableau: ButcherTableau;
}

/** Evaluations of one fixed step: a first-same-as-last method skips its last stage. */
const evaluationsPerStep = ({ nodes, firstSameAsLast }: ButcherTableau): number =>
  nodes.length - (firstSameAsLast ? 1 : 0);

/** The solver plugin of a tableau without an error estimate; `steps` is the default. */
export function fixedStepMethod({ name, summary, tableau, steps }: MethodDefinition & { readonly steps: number }) {
  return defineSolver({
    name,
    summary,
    options: fixedStepOptions,
    complete: (options) => completeSteps(options, steps),
    create: (options) => explicitRungeKutta(name, tableau, fixedSteps(name, tableau, options)),
  });
}

/** The solver plugin of an embedded tableau: adaptive, or with fixed steps if steps are given. */
export function embeddedMethod({ name, summary, tableau }: MethodDefinition) {
  return defineSolver({
    name,
    summary,
    options: embeddedOptions,
    complete: (options) =>
      takesFixedSteps(options) ? completeSteps(options, defaultSteps) : completeAdaptive(options),
    create: (options) => {
      if (!takesFixedSteps(options)) return explicitRungeKutta(name, tableau, adaptiveSteps(tableau, options));
      refuseTolerances(name, options);
      return explicitRungeKutta(name, tableau, fixedSteps(name, tableau, options));
    },
  });
}

type EmbeddedOptions = z.output<typeof embeddedOptions>;

const takesFixedSteps = ({ steps, evaluations, grid }: EmbeddedOptions): boolean =>
  steps !== undefined || evaluations !== undefined || grid !== undefined;

/** Fills in tolerances and the settings of the step-size controller. */
function completeAdaptive(options: EmbeddedOptions): EmbeddedOptions {
  const { maxSteps, ...controller } = adaptiveDefaults;
  return {
    rtol: defaultTolerance,
    atol: defaultTolerance,
    ...(options.maxEvaluations === undefined && { maxSteps }),
    ...controller,
    ...options,
  };
}

function refuseTolerances(name: string, options: EmbeddedOptions): void {
  const stray = Object.keys(options).find((option) => option in adaptiveShape);
  if (stray === undefined) return;
  throw new OptionError(`The solver '${name}' was given fixed steps and '${stray}', which belongs to adaptive ones.`, {
    actual: options,
    expected: 'either steps, evaluations or grid, or tolerances',
  });
}

function fixedSteps(
  name: string,
  tableau: ButcherTableau,
  { steps, evaluations, grid = 'uniform' }: z.output<typeof fixedStepOptions>,
): FixedStepOptions {
  const perStep = evaluationsPerStep(tableau);
  const asked = [
    ...(steps === undefined ? [] : [steps]),
    ...(evaluations === undefined ? [] : [Math.floor(evaluations / perStep)]),
    ...(typeof grid === 'string' ? [] : [grid.length - 1]),
  ];
  if (evaluations !== undefined && evaluations < perStep) {
    throw new OptionError(`${evaluations} evaluations do not pay for a step of '${name}'.`, {
      actual: evaluations,
      expected: `${perStep} or more`,
    });
  }
  if (new Set(asked).size > 1) {
    throw new OptionError(`The solver '${name}' was given different numbers of steps.`, {
      actual: { steps, evaluations, grid },
      expected: 'steps, evaluations or an explicit grid',
    });
  }
  const [count] = asked;
  const fractions = timeGrid(grid, count);
  return { steps: count, ...(fractions && { grid: fractions }) };
}

function adaptiveSteps(
  tableau: ButcherTableau,
  { maxEvaluations, ...options }: z.output<z.ZodObject<typeof adaptiveShape>>,
): AdaptiveOptions {
  const perAttempt = evaluationsPerStep(tableau);
  // The first derivative and the first step size take two evaluations.
  const budget =
    maxEvaluations === undefined ? {} : { maxSteps: Math.max(1, Math.floor((maxEvaluations - 2) / perAttempt)) };
  // Completed before.
  return { ...(options as AdaptiveOptions), ...budget };
}
