import {
  valueAndGrad,
  flattenTree,
  mapTrees,
  TracedProgram,
  type Tensor,
  type Tree,
  constant,
  and,
  isFinite,
  less,
  not,
  where,
  stack,
  Random,
  streams,
  type TensorType,
} from '@flow-matching/tensor';
import type { ModelContext, SymbolicParameters, VectorFieldModel } from '../contracts/model.ts';
import type { Objective, ObjectiveSample, TimeSampler } from '../contracts/objective.ts';
import type { Optimizer } from '../contracts/optimizer.ts';
import type { Path } from '../contracts/path.ts';
import { conditionalFlow } from '../path/pathFormulas.ts';

type Tensors = Readonly<Record<string, Tensor>>;
type Types = Readonly<Record<string, TensorType>>;

/** The parts of a training, and the types of its inputs. */
export interface TrainingParts {
  readonly path: Path;
  readonly objective: Objective;
  readonly timeSampler: TimeSampler;
  readonly model: VectorFieldModel;
  readonly optimizer: Optimizer;
  readonly context: ModelContext;
  readonly batchSize: number;
  /** Types of the parameters, nested as the model has them. */
  readonly parameters: Tree<TensorType>;
  /** Types of the optimizer's state: in place of each parameter, a record of its slots. */
  readonly optimizerState: Tree<TensorType>;
  readonly ema: boolean;
  /** Whether the source points are fed (two-sided paths, couplings that pair on the host) instead of drawn in the graph. */
  readonly feedsSource: boolean;
  readonly condition?: Types;
}

/** Slots of the statistics vector of a training. */
export const statistic = { lossSum: 0, skipped: 1, brokenAt: 2, gradientNorm: 3 } as const;

/** Where a batch's draws come from. */
export interface TrainingSeed {
  readonly key: Tensor;
  readonly firstSample: Tensor;
  readonly step: Tensor;
}

/**
 * A point on the conditional path of each sample. Times and noise are pure functions of (seed, step, sample index), so that
 * every rank and every resumed run draws the same.
 */
export function drawConditionalPoints(
  { path, timeSampler }: Pick<TrainingParts, 'path' | 'timeSampler'>,
  batch: { x1: Tensor; x0?: Tensor | undefined },
  random: Random,
): ObjectiveSample & { readonly weight: Tensor | undefined } {
  const { x1 } = batch;
  const { t: unit, weight } = timeSampler.sample(random.uniform([x1.shape[0]]), path);
  const { start, end } = path.interval;
  const t = start === 0 && end === 1 ? unit : unit.mul(end - start).add(start);
  const drawn = path.sides === 'two' || !batch.x0 ? random.normal(x1.shape) : undefined;
  const noise = path.sides === 'one' && batch.x0 ? batch.x0 : drawn!;
  const z = path.sides === 'two' ? { x1, x0: batch.x0! } : { x1 };
  return { path, t, weight, z, noise, ...conditionalFlow(path, t, z, noise) };
}

/** Loss and gradients of one batch: draw times and noise, move along the conditional path, regress. */
export function gradientsFormula(
  parts: TrainingParts,
  parameters: SymbolicParameters,
  batch: { x1: Tensor; x0?: Tensor | undefined; condition?: Tensors | undefined },
  seed: TrainingSeed,
): { loss: Tensor; gradients: Tree<Tensor> } {
  const { objective, model } = parts;
  const random = new Random(seed, streams.training);
  const { weight, ...sample } = drawConditionalPoints(parts, batch, random);
  const { t, x } = sample;
  const formula = (values: SymbolicParameters): Tensor => {
    const prediction = model.apply(values, {
      t,
      x,
      training: true,
      random,
      ...(batch.condition && { condition: batch.condition }),
    });
    const losses = objective.loss(prediction, sample);
    return (weight ? losses.mul(weight) : losses).mean();
  };
  const { value, gradient } = valueAndGrad(formula, parameters);
  return { loss: value, gradients: gradient };
}

/** What a training step carries: symbols, types or arrays. */
export type CarriedState<Leaf> = {
  readonly parameters: Tree<Leaf>;
  /** In place of each parameter, a record of its slots. */
  readonly optimizer: Tree<Leaf>;
  /** Moving averages of the parameters. */
  readonly ema?: Tree<Leaf>;
  /** See {@link statistic}. */
  readonly statistics: Leaf;
};

/** What an optimizer makes of one parameter. */
type Update = { readonly parameter: Tensor; readonly state: Tensors };

/**
 * One optimizer update of every parameter and of its moving average. A gradient that is not finite leaves everything unchanged
 * and is counted; a loss that is not finite freezes the state from then on, so that the last good state can be saved.
 */
export function updateFormula(
  parts: TrainingParts,
  state: CarriedState<Tensor>,
  { loss, gradients }: { loss: Tensor; gradients: Tree<Tensor> },
  scalars: { learningRate: Tensor; step: Tensor; emaDecay?: Tensor | undefined },
): CarriedState<Tensor> {
  const statisticAt = (index: number): Tensor => state.statistics.slice(0, index, index + 1).reshape([]);
  const squaredNorm = flattenTree<Tensor>(gradients)
    .map(([, gradient]) => gradient.square().sum())
    .reduce((sum, square) => sum.add(square));
  const broken = statisticAt(statistic.brokenAt);
  const lossFinite = isFinite(loss);
  const whole = less(broken, 0);
  const healthy = and(whole, lossFinite);
  const finite = and(healthy, isFinite(squaredNorm));

  // One selection per array: backends that double-buffer drop the whole step at no cost (see extractGuard).
  const keep = (updated: Tensor, old: Tensor): Tensor => where(finite, updated, old);

  const updates = mapTrees<Tensor, Update>(
    (parameter, gradient, slots) =>
      parts.optimizer.update({
        parameter,
        gradient: gradient as Tensor,
        state: slots as Tensors,
        learningRate: scalars.learningRate,
        step: scalars.step,
      }),
    state.parameters,
    gradients,
    state.optimizer,
  ) as Tree<Tensor>;
  const parameters = mapTrees<Tensor, Tensor>(
    (old, update) => keep((update as Update).parameter, old),
    state.parameters,
    updates,
  );
  const optimizer = mapTrees<Tensor, Tree<Tensor>>(
    (_, update, slots) =>
      mapTrees<Tensor, Tensor>((old, next) => keep(next as Tensor, old), slots, (update as Update).state),
    state.parameters,
    updates,
    state.optimizer,
  ) as Tree<Tensor>;
  const ema = mapTrees<Tensor, Tensor>(
    (average, update) =>
      keep(average.add((update as Update).parameter.sub(average).mul(scalars.emaDecay!.neg().add(1))), average),
    state.ema,
    updates,
  );
  const statistics = stack([
    statisticAt(statistic.lossSum).add(where(healthy, loss, 0)),
    statisticAt(statistic.skipped).add(where(and(healthy, not(finite)), 1, 0)),
    where(healthy, broken, where(whole, scalars.step, broken)),
    squaredNorm.sqrt(),
  ]);
  return { parameters, optimizer, ...(ema && { ema }), statistics };
}

const scalar: TensorType = { shape: [], dtype: 'f32' };

/** What a training step is given: types, symbols or arrays. */
export type TrainingStepArgument<Leaf> = {
  readonly state: CarriedState<Leaf>;
  /** [batch, ...event]. */
  readonly x1: Leaf;
  readonly x0?: Leaf;
  readonly condition?: Readonly<Record<string, Leaf>>;
  readonly seed: { readonly key: Leaf; readonly step: Leaf };
  readonly learningRate: Leaf;
  /** Number of the update, from 1. */
  readonly step: Leaf;
  readonly emaDecay?: Leaf;
};

/** The whole training step as one program: gradients, then update. The state is donated. */
export function traceTrainingStep(
  parts: TrainingParts,
): TracedProgram<TrainingStepArgument<TensorType>, { readonly state: CarriedState<Tensor> }> {
  const { batchSize, context, condition } = parts;
  const point: TensorType = { shape: [batchSize, ...context.shape], dtype: 'f32' };
  const types: TrainingStepArgument<TensorType> = {
    state: {
      parameters: parts.parameters,
      optimizer: parts.optimizerState,
      ...(parts.ema && { ema: parts.parameters }),
      statistics: { shape: [4], dtype: 'f32' },
    },
    x1: point,
    ...(parts.feedsSource && { x0: point }),
    ...(condition && { condition }),
    seed: { key: { shape: [2], dtype: 'u32' }, step: { shape: [], dtype: 'u32' } },
    learningRate: scalar,
    step: scalar,
    ...(parts.ema && { emaDecay: scalar }),
  };
  return new TracedProgram(
    ({ state, seed: { key, step }, ...given }) => {
      const result = gradientsFormula(parts, state.parameters, given, { key, firstSample: constant(0, 'u32'), step });
      return { state: updateFormula(parts, state, result, given) };
    },
    types,
    { donate: ['state'] },
  );
}
