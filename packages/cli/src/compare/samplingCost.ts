import type { PluginSpec, Samples } from '@flow-matching/core';
import type { HostArray } from '@flow-matching/tensor';
import { fineSolution, supportShare } from '@flow-matching/plugins';
import type { AssembledExperiment } from '../experiment/assembleExperiment.ts';
import { drawSamples } from '../run/drawSamples.ts';

/** The cost of a solve and its error. */
export interface CostPoint {
  readonly solver: string;
  /** Error allowed per step, relative and absolute; absent for fixed steps. */
  readonly tolerance?: number;
  readonly functionEvaluations: number;
  /** Root mean square distance to the fine solution from the same noise, in units of the data. */
  readonly error: number;
  /** Fraction of the samples where the data's density is positive, if it is known. */
  readonly inSupport?: number;
}

export interface SamplingCost {
  /** The reference solution for errors. Its own error is about that of the adaptive solver at the smallest tolerance. */
  readonly reference: PluginSpec & { readonly functionEvaluations: number };
  readonly fixed: readonly CostPoint[];
  readonly adaptive: readonly CostPoint[];
  /** Samples with few evaluations, for pictures. */
  readonly few: readonly { readonly functionEvaluations: number; readonly samples: HostArray }[];
}

/** Budgets of evaluations for fixed steps: those of the paper's figures 4 and 7, and more to show the order. */
const budgets = [4, 8, 10, 20, 40, 100];
/** Solvers with fixed steps, and evaluations of one step. */
export const fixedSolvers: Readonly<Record<string, number>> = { euler: 1, midpoint: 2, rk4: 4 };
const tolerances = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6];
/** The solver whose samples with few evaluations are shown (figure 4 of the paper). */
export const pictured = { solver: 'midpoint', budgets: [4, 8, 10, 20] };

const fixedTasks = Object.entries(fixedSolvers).flatMap(([solver, perStep]) =>
  budgets.filter((budget) => budget % perStep === 0).map((budget) => ({ solver, budget, steps: budget / perStep })),
);
/** Number of solves in one measurement. */
export const costTasks = 1 + fixedTasks.length + tolerances.length;

export interface CostRequest {
  readonly count: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Runs one solve; returns undefined if it fails, which is a result and does not stop the measurement. */
  readonly attempt: <Result>(what: string, work: () => Promise<Result>) => Promise<Result | undefined>;
}

/** The error of samples as a function of the number of evaluations. Undefined if the fine solution fails. */
export async function samplingCost(
  { flow, data, registry }: Pick<AssembledExperiment, 'flow' | 'data' | 'registry'>,
  { count, seed, signal, attempt }: CostRequest,
): Promise<SamplingCost | undefined> {
  const draw = (spec: PluginSpec, how: string): Promise<Samples | undefined> =>
    attempt(`${spec.name} ${how}`, () =>
      drawSamples({ flow, data }, count, { seed, signal, solver: registry.build('solver', spec) }),
    );
  const fine = await draw(fineSolution, 'for the fine solution');
  if (!fine) return undefined;
  const measured = ({ samples, functionEvaluations }: Samples): Omit<CostPoint, 'solver'> => ({
    functionEvaluations,
    error: rootMeanSquareDistance(samples, fine.samples),
    ...(data.density && { inSupport: supportShare(data.density, samples).value }),
  });
  const fixed: CostPoint[] = [];
  const few: SamplingCost['few'][number][] = [];
  for (const { solver, budget, steps } of fixedTasks) {
    const drawn = await draw({ name: solver, steps }, `in ${steps} steps`);
    if (!drawn) continue;
    fixed.push({ solver, ...measured(drawn) });
    if (solver === pictured.solver && pictured.budgets.includes(budget)) few.push(drawn);
  }
  const adaptive: CostPoint[] = [];
  for (const tolerance of tolerances) {
    const drawn = await draw({ name: 'dopri5', rtol: tolerance, atol: tolerance }, `at tolerance ${tolerance}`);
    if (drawn) adaptive.push({ solver: 'dopri5', tolerance, ...measured(drawn) });
  }
  return { reference: { ...fineSolution, functionEvaluations: fine.functionEvaluations }, fixed, adaptive, few };
}

function rootMeanSquareDistance(a: HostArray, b: HostArray): number {
  let squares = 0;
  for (let i = 0; i < a.data.length; i++) squares += (a.data[i] - b.data[i]) ** 2;
  return Math.sqrt(squares / a.shape[0]);
}
