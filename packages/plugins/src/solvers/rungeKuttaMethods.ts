import {
  defineSolver,
  explicitRungeKutta,
  OptionError,
  type AdaptiveOptions,
  type ButcherTableau,
  type FixedStepOptions,
} from '@flow-matching/core';
import * as z from 'zod';
import { timeGrid, timeGridOption, type TimeGridOption } from './timeGrid.ts';

const fixedStepShape = {
  /** Number of steps. */
  steps: z.int().positive().exactOptional(),
  /** Evaluations to spend: as many whole steps as they pay for, in place of `steps`. */
  evaluations: z.int().positive().exactOptional(),
  /** Where the steps end: `uniform`, `cosine`, `edm`, or increasing fractions from 0 to 1. */
  grid: timeGridOption.exactOptional(),
};

const adaptiveShape = {
  /** Error allowed a step relative to the solution's size. */
  rtol: z.number().min(0).exactOptional(),
  /** Error allowed a step in the solution's own unit. */
  atol: z.number().min(0).exactOptional(),
  /** Attempts after which the solve ends with status maxSteps. */
  maxSteps: z.int().positive().exactOptional(),
  /** Evaluations after which it does, in place of `maxSteps`. */
  maxEvaluations: z.int().positive().exactOptional(),
  /** Each sample has its own step size, so that its result does not depend on its neighbours. */
  perSample: z.boolean().exactOptional(),
  /** Factor on the step size that the error estimate asks for. */
  safety: z.number().positive().max(1).exactOptional(),
  /** Bounds of the change of step size. */
  minFactor: z.number().positive().lt(1).exactOptional(),
  maxFactor: z.number().gt(1).exactOptional(),
  /** Exponents of the step controller; proportional 0 is plain integral control. */
  proportional: z.number().min(0).exactOptional(),
  integral: z.number().min(0).exactOptional(),
  /** Size of the first step; estimated at the price of one evaluation where it is not given. */
  firstStep: z.number().positive().exactOptional(),
};

const defaultTolerance = 1e-5;
/** Steps of an embedded method that is only given a named grid. */
const defaultSteps = 20;

/** Options of a method without an error estimate: `steps`, `evaluations` or `grid`. */
export const fixedStepOptions = z.strictObject(fixedStepShape);
/** Options of an embedded method: tolerances, or fixed steps in their place. */
export const embeddedOptions = z.strictObject({ ...adaptiveShape, ...fixedStepShape });

interface FixedStepChoice {
  readonly steps?: number;
  readonly evaluations?: number;
  readonly grid?: TimeGridOption;
}

interface MethodDefinition {
  readonly name: string;
  readonly summary: string;
  readonly tableau: ButcherTableau;
}

/** Evaluations of one fixed step: a first-same-as-last method does without its last stage. */
const evaluationsPerStep = ({ nodes, firstSameAsLast }: ButcherTableau): number =>
  nodes.length - (firstSameAsLast ? 1 : 0);

/** The solver plugin of a tableau without an error estimate; `steps` where nothing is asked for. */
export function fixedStepMethod({ name, summary, tableau, steps }: MethodDefinition & { readonly steps: number }) {
  return defineSolver({
    name,
    summary,
    options: fixedStepOptions,
    create: (options) => explicitRungeKutta(name, tableau, fixedSteps(name, tableau, options, steps)),
  });
}

/** The solver plugin of an embedded tableau: adaptive, or with fixed steps where steps are given. */
export function embeddedMethod({ name, summary, tableau }: MethodDefinition) {
  return defineSolver({
    name,
    summary,
    options: embeddedOptions,
    create: ({ steps, evaluations, grid, ...adaptive }) => {
      const chosen = {
        ...(steps !== undefined && { steps }),
        ...(evaluations !== undefined && { evaluations }),
        ...(grid && { grid }),
      };
      if (Object.keys(chosen).length === 0) return explicitRungeKutta(name, tableau, adaptiveSteps(tableau, adaptive));
      refuseTolerances(name, adaptive);
      return explicitRungeKutta(name, tableau, fixedSteps(name, tableau, chosen, defaultSteps));
    },
  });
}

function refuseTolerances(name: string, adaptive: object): void {
  const [stray] = Object.keys(adaptive);
  if (stray === undefined) return;
  throw new OptionError(`The solver '${name}' was given fixed steps and '${stray}', which belongs to adaptive ones.`, {
    actual: adaptive,
    expected: 'either steps, evaluations or grid, or tolerances',
  });
}

function fixedSteps(
  name: string,
  tableau: ButcherTableau,
  { steps, evaluations, grid = 'uniform' }: FixedStepChoice,
  fallback: number,
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
  const count = asked[0] ?? fallback;
  const fractions = timeGrid(grid, count);
  return { steps: count, ...(fractions && { grid: fractions }) };
}

function adaptiveSteps(
  tableau: ButcherTableau,
  { maxEvaluations, ...options }: z.output<z.ZodObject<typeof adaptiveShape>>,
): AdaptiveOptions {
  const perAttempt = evaluationsPerStep(tableau);
  // Two evaluations go into the first derivative and the first step size.
  const budget =
    maxEvaluations === undefined ? {} : { maxSteps: Math.max(1, Math.floor((maxEvaluations - 2) / perAttempt)) };
  return { rtol: defaultTolerance, atol: defaultTolerance, ...options, ...budget };
}
