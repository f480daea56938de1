import { inject, injectable } from 'inversify';
import {
  type Backend,
  type BackendArray,
  type Tree,
  zeros,
  Random,
  seedArray,
  streams,
  checkHostArray,
  hostScalar,
  typesOf,
  type HostArray,
  type Shape,
  checkInteger,
  largestSampleCount,
} from '@flow-matching/tensor';
import type { ModelContext, VectorFieldModel } from '../contracts/model.ts';
import type { Objective } from '../contracts/objective.ts';
import type { Path } from '../contracts/path.ts';
import type { Solver } from '../contracts/solver.ts';
import { BACKEND, MODEL, OBJECTIVE, PATH } from '../plugin/roles.ts';
import { checkDensity } from './checkSolver.ts';
import { checkConditions, conditionRows, conditionTypes, zeroStep } from './conditions.ts';
import { divergenceOf, divergenceOnly, drawProbes, type Divergence } from './divergenceOptions.ts';
import { paddedRows, solveInBatches, type SolveCounts, type SolveOptions } from './odeBatches.ts';
import { OdePrograms, type FlowDefinition, type OdeProgramRequest } from './odePrograms.ts';
import { hostPriorLogDensity } from './prior.ts';

export interface LikelihoodOptions extends SolveOptions, Divergence {
  readonly solver: Solver;
  /** Seed of the probe vectors. */
  readonly seed?: number;
  readonly condition?: Readonly<Record<string, HostArray>> | undefined;
}

export interface Likelihoods extends SolveCounts {
  /** log p₁ of each point, nats. */
  readonly logLikelihood: Float64Array;
  /** The latent point of each data point, at the start of the path, [count, ...event]. */
  readonly latent: HostArray;
}

/**
 * Scores points under a trained flow by the instantaneous change of variables: x is integrated back to the prior, together with
 * ∫ div v dt (Lipman et al. 2023, equations 31–35; the log-density counts in the error norm).
 */
@injectable()
export class LikelihoodEvaluator {
  readonly #path: Path;
  readonly #objective: Objective;
  readonly #model: VectorFieldModel;
  readonly #programs: OdePrograms;

  constructor(
    @inject(BACKEND) backend: Backend,
    @inject(PATH) path: Path,
    @inject(OBJECTIVE) objective: Objective,
    @inject(MODEL) model: VectorFieldModel,
  ) {
    this.#path = path;
    this.#objective = objective;
    this.#model = model;
    this.#programs = new OdePrograms(backend, (request) => this.#definition(request));
  }

  /**
   * @param points [count, ...event]
   * @throws DataError if points have the wrong shape or contain NaN; OptionError if the path has no prior density or the solver
   *   is stochastic; SolverError if a solve fails.
   */
  async logLikelihood(
    parameters: Tree<BackendArray>,
    context: ModelContext,
    points: HostArray,
    options: LikelihoodOptions,
  ): Promise<Likelihoods> {
    const { solver, seed = 0, condition } = options;
    checkDensity(this.#path, solver);
    // The count comes from the points; an empty array cannot be scored.
    const count = Math.max(1, (points.shape as Shape | undefined)?.[0] ?? 1);
    checkInteger(`Cannot score ${count} points.`, count, { largest: largestSampleCount });
    checkHostArray('points', points, { shape: [count, ...context.shape], dtype: 'f32' });
    checkConditions(condition, context, count);
    this.#objective.validate?.(this.#path, context.shape);
    const { start, end } = this.#path.interval;
    const solved = await solveInBatches(
      {
        programs: this.#programs,
        solver,
        request: (rows) => ({
          rows,
          context,
          arrays: typesOf(parameters),
          ...conditionTypes(condition, rows),
          divergence: divergenceOnly(options),
        }),
        count,
        start: end,
        end: start,
        arrays: parameters,
        inputs: (first, rows, part) => ({
          key: seedArray(seed),
          firstSample: hostScalar(first, 'u32'),
          points: paddedRows(points, first, rows, part),
          ...conditionRows(condition, (value) => paddedRows(value, first, rows, part)),
        }),
      },
      options,
    );
    const prior = hostPriorLogDensity(solved.y['x'], this.#path.priorStd);
    const change = solved.y['logDensity'].data;
    return { logLikelihood: prior.map((value, i) => value - change[i]), latent: solved.y['x'], ...solved.counts };
  }

  #definition({ rows, context, arrays: types, condition, divergence: how }: OdeProgramRequest): FlowDefinition {
    const parts = { path: this.#path, objective: this.#objective, model: this.#model, context };
    const shape = [rows, ...context.shape];
    return {
      rows,
      arrays: types,
      inputs: {
        key: { shape: [2], dtype: 'u32' },
        firstSample: { shape: [], dtype: 'u32' },
        points: { shape, dtype: 'f32' },
        ...(condition && { condition }),
      },
      begin: ({ key, firstSample, points, condition: conditions }) => {
        const random = new Random({ key, firstSample, step: zeroStep(firstSample) }, streams.likelihood);
        return {
          y: { x: points!, logDensity: zeros([rows]) },
          constants: { condition: conditions, probes: drawProbes(random, shape, how!) },
        };
      },
      field: (t, y, arrays, constants) => {
        const { velocity, divergence } = divergenceOf(parts, arrays, t, y['x'], constants, how!);
        return { x: velocity, logDensity: divergence.neg() };
      },
    };
  }

  dispose(): Promise<void> {
    return this.#programs.dispose();
  }
}
