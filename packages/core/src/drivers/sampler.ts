import { inject, injectable } from 'inversify';
import {
  type Backend,
  type BackendArray,
  type Tree,
  DataError,
  type Tensor,
  Random,
  seedArray,
  streams,
  checkHostArray,
  hostScalar,
  typesOf,
  type HostArray,
  type Shape,
  checkArrayLength,
  checkInteger,
  largestSampleCount,
  largestTrajectory,
  sizeOf,
} from '@flow-matching/tensor';
import type { Coupling } from '../contracts/coupling.ts';
import type { ModelContext, VectorFieldModel } from '../contracts/model.ts';
import type { Objective } from '../contracts/objective.ts';
import type { Path } from '../contracts/path.ts';
import type { OdeState, Solver } from '../contracts/solver.ts';
import { marginalScore } from '../path/marginalScore.ts';
import { BACKEND, COUPLING, MODEL, OBJECTIVE, PATH } from '../plugin/roles.ts';
import { checkResolution } from '../solve/checkRun.ts';
import { checkDensity, checkScore } from './checkSolver.ts';
import { checkConditions, conditionRows, conditionTypes, zeroStep } from './conditions.ts';
import { divergenceOf, divergenceOnly, drawProbes, type Divergence } from './divergenceOptions.ts';
import { modelField } from './modelField.ts';
import { paddedRows, solveInBatches, type SolveCounts, type SolveOptions } from './odeBatches.ts';
import { OdePrograms, type FlowDefinition, type OdeProgramRequest } from './odePrograms.ts';
import { priorLogDensity, scaledToPrior } from './prior.ts';
import { requireFinished } from './requireFinished.ts';

export interface SampleOptions extends SolveOptions {
  readonly solver: Solver;
  readonly seed?: number;
  /** Starting points of the samples, [count, ...event]. Drawn from the prior if absent; required for a two-sided path. */
  readonly source?: HostArray | undefined;
  /** Conditions of the samples, each [count, ...]. */
  readonly condition?: Readonly<Record<string, HostArray>> | undefined;
  /**
   * Number of points to keep of each sample's trajectory, equally spaced in time and including both ends. A solve that ends at
   * maxSteps is then an error.
   */
  readonly trajectory?: number | undefined;
  /** Also return log-densities of the samples, integrated along with them. */
  readonly logLikelihood?: Divergence | undefined;
}

/** The sampling options that are checked against the parts of the flow. */
export type SampleChecks = Pick<SampleOptions, 'solver' | 'logLikelihood'>;

export interface Samples extends SolveCounts {
  /** [count, ...event]. */
  readonly samples: HostArray;
  /** [count, points, ...event] and the times of the points, if a trajectory was requested. */
  readonly trajectory?: HostArray;
  readonly times?: readonly number[];
  /** log p₁ of each sample, nats, if requested. */
  readonly logLikelihood?: Float64Array;
}

/** Draws samples: integrates the learned field from prior noise at the start of the path's interval to its end. */
@injectable()
export class Sampler {
  readonly #backend: Backend;
  readonly #path: Path;
  readonly #coupling: Coupling;
  readonly #objective: Objective;
  readonly #model: VectorFieldModel;
  readonly #programs: OdePrograms;

  constructor(
    @inject(BACKEND) backend: Backend,
    @inject(PATH) path: Path,
    @inject(COUPLING) coupling: Coupling,
    @inject(OBJECTIVE) objective: Objective,
    @inject(MODEL) model: VectorFieldModel,
  ) {
    this.#backend = backend;
    this.#path = path;
    this.#coupling = coupling;
    this.#objective = objective;
    this.#model = model;
    this.#programs = new OdePrograms(backend, (request) => this.#definition(request));
  }

  /**
   * Makes the checks that do not depend on parameters, so that a sampling that would fail is refused before training. {@link
   * sample} calls it too.
   *
   * @param shape of one point
   * @throws OptionError if the solver does not support the path or the coupling, if log-likelihoods are requested for a path
   *   without a density, or if tolerances are below the resolution of the backend's floats; PathError if the objective refuses
   *   the path.
   */
  async check(shape: Shape, { solver, logLikelihood }: SampleChecks): Promise<void> {
    if (logLikelihood) checkDensity(this.#path, solver);
    this.#objective.validate?.(this.#path, shape);
    checkScore(this.#path, this.#coupling, solver);
    await checkResolution(solver, this.#backend);
  }

  /**
   * @param parameters parameters of the model, nested as it has them
   * @throws SolverError if a solve fails, or ends at maxSteps with a trajectory requested; OptionError for an invalid count;
   *   MemoryError for more samples than an array can hold; DataError if a two-sided path has no source; and as {@link check} does.
   */
  async sample(
    parameters: Tree<BackendArray>,
    context: ModelContext,
    count: number,
    options: SampleOptions,
  ): Promise<Samples> {
    checkInteger(`Cannot draw ${count} samples.`, count, { largest: largestSampleCount });
    const { solver, seed = 0, source, condition, trajectory, logLikelihood } = options;
    if (this.#path.sides === 'two' && !source) {
      throw new DataError(`The path '${this.#path.name}' starts from a source distribution, not from noise.`, {
        expected: 'source points to start from',
        remedy: 'Pass source.',
      });
    }
    await this.check(context.shape, { solver, logLikelihood });
    if (trajectory !== undefined)
      checkInteger(`A trajectory of ${trajectory} points is not possible.`, trajectory, {
        least: 2,
        largest: largestTrajectory,
      });
    checkArrayLength('The samples', count * sizeOf(context.shape) * (trajectory ?? 1));
    if (source) checkHostArray('source', source, { shape: [count, ...context.shape], dtype: 'f32' });
    checkConditions(condition, context, count);
    const { start, end } = this.#path.interval;
    const times =
      trajectory === undefined
        ? undefined
        : Array.from({ length: trajectory }, (_, i) => start + ((end - start) * i) / (trajectory - 1));
    const solved = await solveInBatches(
      {
        programs: this.#programs,
        solver,
        request: (rows) => ({
          rows,
          context,
          arrays: typesOf(parameters),
          ...conditionTypes(condition, rows),
          divergence: logLikelihood && divergenceOnly(logLikelihood),
          fromSource: source !== undefined,
          keptTimes: times?.length ?? 0,
        }),
        count,
        start,
        end,
        arrays: parameters,
        times,
        seed,
        inputs: (first, rows, part) => ({
          key: seedArray(seed),
          firstSample: hostScalar(first, 'u32'),
          ...(source && { points: paddedRows(source, first, rows, part) }),
          ...conditionRows(condition, (value) => paddedRows(value, first, rows, part)),
        }),
      },
      options,
    );
    // Times that a solve did not reach still contain its starting point.
    if (times) requireFinished(solved.counts);
    return {
      samples: solved.y['x'],
      ...(times && { trajectory: solved.kept['x'], times }),
      ...(logLikelihood && { logLikelihood: Float64Array.from(solved.y['logDensity'].data) }),
      ...solved.counts,
    };
  }

  #definition({
    rows,
    context,
    arrays: types,
    condition,
    divergence: logLikelihood,
    fromSource,
    keptTimes = 0,
  }: OdeProgramRequest): FlowDefinition {
    const path = this.#path;
    const parts = { path, objective: this.#objective, model: this.#model, context };
    const shape = [rows, ...context.shape];
    return {
      rows,
      keptTimes,
      arrays: types,
      inputs: {
        key: { shape: [2], dtype: 'u32' },
        firstSample: { shape: [], dtype: 'u32' },
        ...(fromSource && { points: { shape, dtype: 'f32' as const } }),
        ...(condition && { condition }),
      },
      begin: ({ key, firstSample, points, condition: conditions }) => {
        const random = new Random({ key, firstSample, step: zeroStep(firstSample) }, streams.sampling);
        const x = points ?? scaledToPrior(random.normal(shape), path.priorStd);
        if (!logLikelihood) return { y: { x }, constants: { condition: conditions } };
        return {
          y: { x, logDensity: priorLogDensity(x, path.priorStd) },
          constants: { condition: conditions, probes: drawProbes(random, shape, logLikelihood) },
        };
      },
      field: (t, y, arrays, constants) => {
        if (!logLikelihood) return { x: modelField(parts, arrays, t, y['x'], constants.condition) };
        const { velocity, divergence } = divergenceOf(parts, arrays, t, y['x'], constants, logLikelihood);
        return { x: velocity, logDensity: divergence.neg() };
      },
      ...(path.sides === 'one' && {
        score: (t: Tensor, y: OdeState, velocity: OdeState) => ({ x: marginalScore(path, t, y['x'], velocity['x']) }),
      }),
    };
  }

  dispose(): Promise<void> {
    return this.#programs.dispose();
  }
}
