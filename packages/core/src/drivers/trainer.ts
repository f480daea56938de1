import { inject, injectable } from 'inversify';
import {
  type Backend,
  type BackendArray,
  type Program,
  type Tensor,
  type TensorType,
  type Tree,
  DataError,
  OptionError,
  yieldToEventLoop,
  flattenTree,
  mapTree,
  readTree,
  hostRandomNormal,
  HostRandomStream,
  seedArray,
  seedKey,
  streams,
  hostArray,
  hostScalar,
  type HostArray,
  typesOf,
  checkArrayLength,
  checkPositiveInteger,
  largestBatch,
  sizeOf,
} from '@flow-matching/tensor';
import type { Coupling } from '../contracts/coupling.ts';
import type { Batch, Dataset } from '../contracts/dataset.ts';
import type { ModelContext, Parameters, VectorFieldModel } from '../contracts/model.ts';
import type { Objective, TimeSampler } from '../contracts/objective.ts';
import type { Optimizer } from '../contracts/optimizer.ts';
import type { Path } from '../contracts/path.ts';
import { NumericalError } from '../errors.ts';
import { BACKEND, COUPLING, MODEL, OBJECTIVE, PATH, TIME_SAMPLER } from '../plugin/roles.ts';
import { checkBatch } from './checkBatch.ts';
import { checkCoupling } from './checkCoupling.ts';
import { explainLoss } from './explainLoss.ts';
import { measureModel } from './measureModel.ts';
import { hostScaledToPrior } from './prior.ts';
import { restoreTree } from './restoreTree.ts';
import {
  statistic,
  traceTrainingStep,
  type CarriedState,
  type TrainingParts,
  type TrainingStepArgument,
} from './trainingProgram.ts';

export interface TrainingOptions {
  readonly optimizer: Optimizer;
  /** Total number of updates, including those before a resume. */
  readonly steps: number;
  readonly batchSize: number;
  /** Decay of the exponential moving average of the parameters, in (0, 1). Default: no average. */
  readonly ema?: number | undefined;
  readonly seed?: number;
  /** Steps between two reports. Default 50. */
  readonly reportEvery?: number;
  /** Steps between two checkpoints. A report follows each of them, at which the caller can save the state. */
  readonly checkpointEvery?: number | undefined;
  /**
   * Stops after the current step, or before the next one if its batch is still being paired. The training can be resumed from its
   * state.
   */
  readonly signal?: AbortSignal | undefined;
  /** Continues from this state instead of new parameters. */
  readonly resume?: TrainingState | undefined;
}

/** Everything a training needs to continue as if it had not stopped. Names are dotted paths. */
export interface TrainingState {
  /** Updates made. */
  readonly step: number;
  readonly parameters: Readonly<Record<string, HostArray>>;
  /** `parameter name` + `.` + `slot`. */
  readonly optimizer: Readonly<Record<string, HostArray>>;
  readonly ema?: Readonly<Record<string, HostArray>>;
  /** Updates skipped because their gradient was not finite. */
  readonly skipped: number;
}

export interface TrainingReport {
  /** Updates made so far. */
  readonly step: number;
  readonly steps: number;
  /** Mean loss over the steps since the last report. */
  readonly loss: number;
  /** Norm of the last gradient. */
  readonly gradientNorm: number;
  readonly learningRate: number;
  /** Updates skipped so far because their gradient was not finite. */
  readonly skipped: number;
  /** Wall-clock seconds since this process started training. */
  readonly seconds: number;
}

/** Trains a vector field. It runs the loop; every step is one compiled graph. */
@injectable()
export class Trainer {
  readonly #backend: Backend;
  readonly #path: Path;
  readonly #coupling: Coupling;
  readonly #objective: Objective;
  readonly #timeSampler: TimeSampler;
  readonly #model: VectorFieldModel;

  constructor(
    @inject(BACKEND) backend: Backend,
    @inject(PATH) path: Path,
    @inject(COUPLING) coupling: Coupling,
    @inject(OBJECTIVE) objective: Objective,
    @inject(TIME_SAMPLER) timeSampler: TimeSampler,
    @inject(MODEL) model: VectorFieldModel,
  ) {
    this.#backend = backend;
    this.#path = path;
    this.#coupling = coupling;
    this.#objective = objective;
    this.#timeSampler = timeSampler;
    this.#model = model;
  }

  /**
   * Checks whether the parts can be trained on the data, without drawing parameters or compiling, so that an experiment can be
   * refused before anything is created for it. {@link begin} checks the same.
   *
   * @throws OptionError, DataError or PathError if parts are incompatible, and any error of the formulas.
   */
  async check(data: Dataset, options: TrainingOptions): Promise<void> {
    const { first, context } = await this.#firstBatch(data, options);
    const { parameters } = measureModel(this.#model, context, Infinity);
    traceTrainingStep(this.#parts(options, { first, context, parameters, slots: slotsOf(parameters, options) }));
  }

  /**
   * Compiles the training step and uploads its state. @throws OptionError, DataError or PathError if parts are incompatible,
   * and any error of the formulas.
   */
  async begin(data: Dataset, options: TrainingOptions): Promise<Training> {
    const { first, context } = await this.#firstBatch(data, options);
    const { batchSize, seed = 0, ema, resume } = options;
    const fresh = this.#model.init(new HostRandomStream(seed), context);
    const parameters = resume ? restoreTree(fresh, resume.parameters, 'saved parameter') : fresh;
    const freshSlots = slotsOf(parameters, options);
    const slots = resume ? restoreTree(freshSlots, resume.optimizer, 'saved optimizer state') : freshSlots;
    const averaged =
      ema === undefined ? undefined : resume?.ema ? restoreTree(fresh, resume.ema, 'saved average') : parameters;

    const parts = this.#parts(options, { first, context, parameters, slots });
    const program = await traceTrainingStep(parts).compile(this.#backend);
    const upload = (arrays: Tree<HostArray>): Tree<BackendArray> =>
      mapTree<HostArray, BackendArray>(arrays, (array) => this.#backend.array(array));
    const state = {
      parameters: upload(parameters),
      optimizer: upload(slots),
      ...(averaged !== undefined && { ema: upload(averaged) }),
      statistics: this.#backend.array(hostArray(Float32Array.of(0, resume?.skipped ?? 0, -1, 0))),
    };
    return new Training({
      program,
      state,
      feedsSource: parts.feedsSource,
      step: resume?.step ?? 0,
      options,
      context,
      batch: async (index, signal) => {
        if (index === 0) return parts.feedsSource ? this.#paired(first, seed, index, signal) : first;
        const batch = await data.batch({ index, size: batchSize, seed });
        // Numbers that are not finite show up in the loss, which needs no pass over the data.
        checkBatch(batch, data, batchSize, { nonFinite: true });
        return parts.feedsSource ? this.#paired(batch, seed, index, signal) : batch;
      },
      upload: (array) => this.#backend.array(array),
      explain: (batch, step) => explainLoss(parts, batch, seed, step),
    });
  }

  /** The first batch, after all that can be said of it and of the parts. */
  async #firstBatch(data: Dataset, options: TrainingOptions): Promise<{ first: Batch; context: ModelContext }> {
    checkOptions(options);
    this.#objective.validate?.(this.#path, data.shape);
    const { batchSize, seed = 0 } = options;
    checkArrayLength('A batch', batchSize * sizeOf(data.shape));
    const first = await data.batch({ index: 0, size: batchSize, seed });
    this.#checkBatch(first, data, batchSize);
    checkCoupling(this.#path, this.#coupling, first.x1);
    return { first, context: contextOf(data, first) };
  }

  /** What the step is traced from: types, and no values. */
  #parts(
    { optimizer, batchSize, ema }: TrainingOptions,
    { first, context, parameters, slots }: FirstState,
  ): TrainingParts {
    return {
      path: this.#path,
      objective: this.#objective,
      timeSampler: this.#timeSampler,
      model: this.#model,
      optimizer,
      context,
      batchSize,
      parameters: typesOf(parameters),
      optimizerState: typesOf(slots),
      ema: ema !== undefined,
      feedsSource: this.#path.sides === 'two' || this.#coupling.pair !== undefined,
      ...(first.condition && { condition: typesOf(first.condition) }),
    };
  }

  /** Draws or takes the source points and pairs them with the data. */
  async #paired(batch: Batch, seed: number, index: number, signal: AbortSignal | undefined): Promise<Batch> {
    const { x1, condition } = batch;
    const x0 =
      this.#path.sides === 'two'
        ? batch.x0!
        : hostRandomNormal(seedKey(seed), Uint32Array.of(0, 0, index, streams.coupling), x1.shape);
    if (!this.#coupling.pair) return { ...batch, x0 };
    // The second number of the stream: the noise itself uses the first.
    const random = new HostRandomStream(seed, streams.coupling + 1, index);
    const from = this.#path.sides === 'two' ? x0 : hostScaledToPrior(x0, this.#path.priorStd);
    const order = await this.#coupling.pair({
      x0: from,
      x1,
      random,
      ...(condition && { condition }),
      ...(signal && { signal }),
    });
    return { ...batch, x0: permuted(x0, order) };
  }

  #checkBatch(batch: Batch, data: Dataset, size: number): void {
    checkBatch(batch, data, size);
    if (this.#path.sides === 'one' && batch.x0) {
      throw new DataError(
        `The path '${this.#path.name}' starts from noise and would ignore the source points of the data set '${data.name}'.`,
        {
          expected: 'batches without x0',
          remedy: 'Use a two-sided path such as paired-lines, or the target dataset alone.',
        },
      );
    }
    if (this.#path.sides === 'two' && !batch.x0) {
      throw new DataError(
        `The path '${this.#path.name}' runs between two distributions, and the data set '${data.name}' has no source points.`,
        {
          expected: 'batches with x0',
          remedy: 'Use a dataset with a source, or a one-sided path.',
        },
      );
    }
  }
}

interface FirstState {
  readonly first: Batch;
  readonly context: ModelContext;
  readonly parameters: Parameters;
  /** The optimizer's state, in place of each parameter. */
  readonly slots: Tree<HostArray>;
}

const slotsOf = (parameters: Parameters, { optimizer }: Pick<TrainingOptions, 'optimizer'>): Tree<HostArray> =>
  mapTree<HostArray, Record<string, HostArray>>(parameters, (parameter) => optimizer.init(parameter));

interface TrainingSetup {
  readonly program: Program<TrainingStepArgument<TensorType>, { readonly state: CarriedState<Tensor> }>;
  readonly state: CarriedState<BackendArray>;
  /** Whether a step is given the source points. */
  readonly feedsSource: boolean;
  readonly step: number;
  readonly options: TrainingOptions;
  readonly context: ModelContext;
  /** The paired batch of a step. Throws the signal's reason if it is aborted during the pairing. */
  readonly batch: (index: number, signal?: AbortSignal) => Promise<Batch>;
  readonly upload: (array: HostArray) => BackendArray;
  /** Describes what is not finite in a step's batch. */
  readonly explain: (batch: Batch, step: number) => string | undefined;
}

/** A running training. Iterate over it for reports; its state can be read at any report. */
export class Training implements AsyncIterable<TrainingReport>, AsyncDisposable {
  readonly #setup: TrainingSetup;
  #state: CarriedState<BackendArray>;
  #step: number;
  #reportedAt: number;

  constructor(setup: TrainingSetup) {
    this.#setup = setup;
    this.#state = setup.state;
    this.#step = setup.step;
    this.#reportedAt = setup.step;
  }

  /** Updates made. */
  get step(): number {
    return this.#step;
  }

  get context(): ModelContext {
    return this.#setup.context;
  }

  /**
   * Trains to the end, one report every `reportEvery` steps and one at the end. Aborting ends the iteration after the running step,
   * or during the pairing for the next one, with a report if there were steps since the last.
   *
   * @throws NumericalError if the loss is not finite, naming the step; the state is then that of the previous step.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<TrainingReport> {
    const { program, options, feedsSource } = this.#setup;
    const { optimizer, steps, seed = 0, reportEvery = 50, checkpointEvery = reportEvery, ema, signal } = options;
    const began = performance.now();
    const key = seedArray(seed);
    const decay = ema === undefined ? {} : { emaDecay: hostScalar(ema) };
    let learningRate = 0;
    const report = (): Promise<TrainingReport> => this.#report(learningRate, (performance.now() - began) / 1000);
    while (this.#step < steps && !signal?.aborted) {
      const step = this.#step;
      const batch = await this.#nextBatch();
      if (!batch) break;
      learningRate = optimizer.learningRate * optimizer.schedule.factor(step, steps);
      const { state } = await program.run({
        state: this.#state,
        x1: batch.x1,
        ...(feedsSource && { x0: batch.x0! }),
        ...(batch.condition && { condition: batch.condition }),
        seed: { key, step: hostScalar(step, 'u32') },
        learningRate: hostScalar(learningRate),
        step: hostScalar(step + 1),
        ...decay,
      });
      this.#state = state;
      this.#step = step + 1;
      // On a backend that computes synchronously, an abort would not be seen otherwise.
      await yieldToEventLoop();
      if (this.#step % reportEvery === 0 || this.#step % checkpointEvery === 0 || this.#step === steps) {
        yield await report();
      }
    }
    if (this.#step > this.#reportedAt) yield await report();
  }

  /** Undefined if an abort ended the pairing. */
  async #nextBatch(): Promise<Batch | undefined> {
    const { signal } = this.#setup.options;
    try {
      return await this.#setup.batch(this.#step, signal);
    } catch (error) {
      if (signal?.aborted && error === signal.reason) return undefined;
      throw error;
    }
  }

  async #report(learningRate: number, seconds: number): Promise<TrainingReport> {
    const { statistics } = this.#state;
    const values = await statistics.read();
    const since = this.#step - this.#reportedAt;
    const brokenAt = values[statistic.brokenAt];
    if (brokenAt >= 0) {
      this.#step = brokenAt - 1;
      const cause = this.#setup.explain(await this.#setup.batch(brokenAt - 1), brokenAt - 1);
      throw new NumericalError(`The loss is not finite at step ${brokenAt}${cause ? `: ${cause}` : ''}.`, {
        actual: brokenAt,
        expected: 'a finite loss',
        remedy:
          'The state of the step before is kept. Lower the learning rate, or look for values out of range in the data.',
      });
    }
    const report = {
      step: this.#step,
      steps: this.#setup.options.steps,
      loss: values[statistic.lossSum] / since,
      gradientNorm: values[statistic.gradientNorm],
      learningRate,
      skipped: values[statistic.skipped],
      seconds,
    };
    // The sum restarts, so that it stays comparable to the losses added to it.
    const restarted = Float32Array.from(values);
    restarted[statistic.lossSum] = 0;
    this.#reportedAt = this.#step;
    statistics.dispose();
    this.#state = { ...this.#state, statistics: this.#setup.upload(hostArray(restarted)) };
    return report;
  }

  /** Handles of the current parameters, or of their moving average, valid until the next step. */
  arrays(which: 'parameters' | 'ema' = 'parameters'): Record<string, BackendArray> {
    return Object.fromEntries(flattenTree<BackendArray>(this.#state[which]));
  }

  /** A copy of everything that a checkpoint must contain. */
  async state(): Promise<TrainingState> {
    const statistics = await this.#state.statistics.read();
    const ema = await namedCopies(this.#state.ema);
    return {
      step: this.#step,
      parameters: await namedCopies(this.#state.parameters),
      optimizer: await namedCopies(this.#state.optimizer),
      ...(Object.keys(ema).length > 0 && { ema }),
      skipped: statistics[statistic.skipped],
    };
  }

  async dispose(): Promise<void> {
    for (const [, array] of flattenTree<BackendArray>(this.#state)) array.dispose();
    await this.#setup.program.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

/** Copies of the arrays of a tree, by the paths of its leaves. */
const namedCopies = async (tree: Tree<BackendArray>): Promise<Record<string, HostArray>> =>
  Object.fromEntries(flattenTree<HostArray>(await readTree(tree)));

/** The model context of a dataset, from the shapes of one of its batches. */
export const contextOf = ({ shape }: Dataset, { condition }: Batch): ModelContext => ({
  shape,
  ...(condition && { condition: shapesOf(condition) }),
});

const shapesOf = (arrays: Readonly<Record<string, HostArray>>): Record<string, readonly number[]> =>
  Object.fromEntries(Object.entries(arrays).map(([name, { shape }]) => [name, shape.slice(1)]));

/** Rows of `array` in the given order. @throws DataError unless the order is a permutation. */
function permuted(array: HostArray, order: Int32Array): HostArray {
  const rows = array.shape[0];
  if (order.length !== rows || new Set(order).size !== rows || order.some((row) => row < 0 || row >= rows)) {
    throw new DataError('The coupling does not return a permutation.', {
      actual: order,
      expected: `each of 0…${rows - 1} once`,
    });
  }
  const width = array.data.length / rows;
  const data = array.data.slice();
  order.forEach((row, i) => data.set(array.data.subarray(row * width, (row + 1) * width), i * width));
  return { ...array, data };
}

function checkOptions({
  steps,
  batchSize,
  ema,
  reportEvery = 50,
  checkpointEvery = reportEvery,
}: TrainingOptions): void {
  checkPositiveInteger('steps', steps);
  checkPositiveInteger('batchSize', batchSize, largestBatch);
  checkPositiveInteger('reportEvery', reportEvery);
  checkPositiveInteger('checkpointEvery', checkpointEvery);
  if (ema !== undefined && !(ema > 0 && ema < 1))
    throw new OptionError(`ema is ${ema}.`, { actual: ema, expected: 'a decay in (0, 1)' });
}
