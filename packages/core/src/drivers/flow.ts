import { inject, injectable } from 'inversify';
import {
  type Backend,
  type BackendArray,
  GraphError,
  OptionError,
  checkHostArray,
  flattenTree,
  mapTree,
  readTree,
  type HostArray,
  type Shape,
  type Tree,
} from '@flow-matching/tensor';
import type { Dataset } from '../contracts/dataset.ts';
import type { ModelContext, VectorFieldModel } from '../contracts/model.ts';
import type { Path } from '../contracts/path.ts';
import type { Solver } from '../contracts/solver.ts';
import { BACKEND, MODEL, PATH, SOLVER } from '../plugin/roles.ts';
import { LikelihoodEvaluator, type LikelihoodOptions, type Likelihoods } from './likelihood.ts';
import { measureModel } from './measureModel.ts';
import { nestedAs } from './restoreTree.ts';
import { Sampler, type SampleChecks, type SampleOptions, type Samples } from './sampler.ts';
import { Trainer, type Training, type TrainingOptions, type TrainingReport } from './trainer.ts';

type WithDefault<Options extends { solver: Solver }> = Omit<Options, 'solver'> & {
  readonly solver?: Solver | undefined;
};

/** A flow, which can be trained, sampled and scored. Its parts come from a container; {@link assembleFlow} makes one in a line. */
@injectable()
export class Flow implements AsyncDisposable {
  readonly backend: Backend;
  readonly path: Path;
  /** Used unless a call names another. */
  readonly solver: Solver;
  readonly #trainer: Trainer;
  readonly #sampler: Sampler;
  readonly #likelihood: LikelihoodEvaluator;
  readonly #model: VectorFieldModel;
  #arrays: Tree<BackendArray>;
  #context: ModelContext | undefined;

  constructor(
    @inject(BACKEND) backend: Backend,
    @inject(PATH) path: Path,
    @inject(SOLVER) solver: Solver,
    @inject(MODEL) model: VectorFieldModel,
    @inject(Trainer) trainer: Trainer,
    @inject(Sampler) sampler: Sampler,
    @inject(LikelihoodEvaluator) likelihood: LikelihoodEvaluator,
  ) {
    this.backend = backend;
    this.path = path;
    this.solver = solver;
    this.#model = model;
    this.#trainer = trainer;
    this.#sampler = sampler;
    this.#likelihood = likelihood;
  }

  /**
   * Checks whether the parts of the flow can be trained on the data, without drawing parameters or compiling. Call it before
   * preparing anything for the results; {@link begin} checks the same.
   *
   * @throws OptionError, DataError or PathError if parts are incompatible, and any error of the formulas.
   */
  async checkTraining(data: Dataset, options: TrainingOptions): Promise<void> {
    await this.#trainer.check(data, options);
  }

  /** Prepares a training, for callers who save its state while it runs; {@link train} is the short form. */
  begin(data: Dataset, options: TrainingOptions): Promise<Training> {
    return this.#trainer.begin(data, options);
  }

  /**
   * Trains on a dataset and yields reports. When the iteration ends, by itself or by the consumer's `break`, the flow holds the
   * trained parameters, or their moving average if `ema` is set.
   *
   *     for await (const { step, loss } of flow.train(checkerboard(), { optimizer: adam(), steps: 4000, batchSize: 1024 })) …
   */
  async *train(data: Dataset, options: TrainingOptions): AsyncGenerator<TrainingReport> {
    const training = await this.begin(data, options);
    try {
      yield* training;
    } finally {
      await this.adopt(training);
      await training.dispose();
    }
  }

  /** Copies the current parameters of a training into this flow. */
  async adopt(training: Training): Promise<void> {
    const state = await training.state();
    this.load(state.ema ?? state.parameters, training.context);
  }

  /**
   * Uses these parameters from now on. Names are the dotted paths of the model's parameters, as in checkpoints.
   *
   * @throws DataError, ShapeError or DTypeError for malformed arrays; GraphError for a name that the model does not
   *   have.
   */
  load(parameters: Readonly<Record<string, HostArray>>, context: ModelContext): void {
    // Checked before anything is released. Numbers that are not finite are reported by the solver, with the time and the sample.
    for (const [name, array] of Object.entries(parameters))
      checkHostArray(`The parameter '${name}'`, array, { nonFinite: true });
    const { parameters: expected } = measureModel(this.#model, context, Infinity);
    const tree = nestedAs(expected, parameters, 'parameter');
    this.#release();
    this.#arrays = mapTree<HostArray, BackendArray>(tree, (array) => this.backend.array(array));
    this.#context = context;
  }

  /** Copies of the current parameters, by dotted path. @throws GraphError if there are none yet. */
  async parameters(): Promise<Record<string, HostArray>> {
    return Object.fromEntries(flattenTree<HostArray>(await readTree(this.#trained().arrays)));
  }

  /**
   * Checks whether the flow can be sampled, without needing parameters: call it before a training whose samples you need.
   * {@link sample} makes the same checks.
   *
   * @param shape of one point
   * @throws OptionError if the solver does not support the path or the coupling, if log-likelihoods are requested for a path
   *   without a density, or if tolerances are below the resolution of the backend's floats; PathError if the objective refuses
   *   the path.
   */
  async checkSampling(shape: Shape, options: WithDefault<SampleChecks> = {}): Promise<void> {
    await this.#sampler.check(shape, { ...options, solver: options.solver ?? this.solver });
  }

  /** Draws `count` samples [count, ...event], with their log-likelihoods in the same pass if `logLikelihood` is set. */
  async sample(count: number, options: WithDefault<SampleOptions> = {}): Promise<Samples> {
    const { arrays, context } = this.#trained();
    return this.#sampler.sample(arrays, context, count, { ...options, solver: options.solver ?? this.solver });
  }

  /** Log-likelihoods of points [count, ...event], in nats. */
  async logLikelihood(points: HostArray, options: WithDefault<LikelihoodOptions>): Promise<Likelihoods> {
    const { arrays, context } = this.#trained();
    if (!['exact', 'hutchinson'].includes(options.divergence)) {
      throw new OptionError(`There is no divergence '${options.divergence as string}'.`, {
        actual: options.divergence,
        expected: "'exact' or 'hutchinson'",
      });
    }
    return this.#likelihood.logLikelihood(arrays, context, points, {
      ...options,
      solver: options.solver ?? this.solver,
    });
  }

  /** Shape of one point. @throws GraphError if there are no parameters yet. */
  get context(): ModelContext {
    return this.#trained().context;
  }

  #trained(): { arrays: Tree<BackendArray>; context: ModelContext } {
    if (!this.#context) {
      throw new GraphError('The flow has no parameters yet.', {
        expected: 'a flow that was trained or loaded',
        remedy: 'Call train() or load() first.',
      });
    }
    return { arrays: this.#arrays, context: this.#context };
  }

  #release(): void {
    for (const [, array] of flattenTree<BackendArray>(this.#arrays)) array.dispose();
    this.#arrays = undefined;
    this.#context = undefined;
  }

  /** Frees programs and parameters. The backend belongs to the caller and is not disposed. */
  async dispose(): Promise<void> {
    this.#release();
    await this.#sampler.dispose();
    await this.#likelihood.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
