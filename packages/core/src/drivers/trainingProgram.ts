import {
  valueAndGrad,
  type Graph,
  type Tensor,
  trace,
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
import type { ModelContext, VectorFieldModel } from '../contracts/model.ts';
import type { Objective, ObjectiveSample, TimeSampler } from '../contracts/objective.ts';
import type { Optimizer } from '../contracts/optimizer.ts';
import type { Path } from '../contracts/path.ts';
import { conditionalFlow } from '../path/pathFormulas.ts';
import { unflattenParameters } from './modelField.ts';

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
  /** Types of the parameters by dotted name. */
  readonly parameters: Types;
  /** Types of the optimizer's state of each parameter: name → slot → type. */
  readonly optimizerState: Readonly<Record<string, Types>>;
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
  batch: { x1: Tensor; x0?: Tensor },
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
  parameters: Tensors,
  batch: { x1: Tensor; x0?: Tensor; condition?: Tensors },
  seed: TrainingSeed,
): { loss: Tensor; gradients: Tensors } {
  const { objective, model } = parts;
  const random = new Random(seed, streams.training);
  const { weight, ...sample } = drawConditionalPoints(parts, batch, random);
  const { t, x } = sample;
  const formula = (values: Tensors): Tensor => {
    const prediction = model.apply(unflattenParameters(values), {
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

/**
 * One optimizer update of every parameter and of its moving average. A gradient that is not finite leaves everything unchanged
 * and is counted; a loss that is not finite freezes the state from then on, so that the last good state can be saved.
 */
export function updateFormula(
  parts: TrainingParts,
  state: { parameters: Tensors; optimizer: Readonly<Record<string, Tensors>>; ema?: Tensors; statistics: Tensor },
  { loss, gradients }: { loss: Tensor; gradients: Tensors },
  scalars: { learningRate: Tensor; step: Tensor; emaDecay?: Tensor },
): { parameters: Tensors; optimizer: Record<string, Tensors>; ema?: Tensors; statistics: Tensor } {
  const statisticAt = (index: number): Tensor => state.statistics.slice(0, index, index + 1).reshape([]);
  const squaredNorm = Object.values(gradients)
    .map((gradient) => gradient.square().sum())
    .reduce((sum, square) => sum.add(square));
  const broken = statisticAt(statistic.brokenAt);
  const lossFinite = isFinite(loss);
  const whole = less(broken, 0);
  const healthy = and(whole, lossFinite);
  const finite = and(healthy, isFinite(squaredNorm));

  // One selection per array: backends that double-buffer drop the whole step at no cost (see extractGuard).
  const keep = (updated: Tensor, old: Tensor): Tensor => where(finite, updated, old);

  const parameters: Record<string, Tensor> = {};
  const optimizer: Record<string, Tensors> = {};
  const ema: Record<string, Tensor> = {};
  for (const [name, parameter] of Object.entries(state.parameters)) {
    const slots = state.optimizer[name] ?? {};
    const updated = parts.optimizer.update({
      parameter,
      gradient: gradients[name],
      state: slots,
      learningRate: scalars.learningRate,
      step: scalars.step,
    });
    parameters[name] = keep(updated.parameter, parameter);
    optimizer[name] = Object.fromEntries(
      Object.entries(slots).map(([slot, old]) => [slot, keep(updated.state[slot], old)]),
    );
    if (state.ema) {
      const average = state.ema[name];
      ema[name] = keep(average.add(updated.parameter.sub(average).mul(scalars.emaDecay!.neg().add(1))), average);
    }
  }
  const statistics = stack([
    statisticAt(statistic.lossSum).add(where(healthy, loss, 0)),
    statisticAt(statistic.skipped).add(where(and(healthy, not(finite)), 1, 0)),
    where(healthy, broken, where(whole, scalars.step, broken)),
    squaredNorm.sqrt(),
  ]);
  return { parameters, optimizer, ...(state.ema && { ema }), statistics };
}

const scalar: TensorType = { shape: [], dtype: 'f32' };

/** The whole training step as one graph: gradients, then update. Inputs `state.*` are aliased to outputs of the same names. */
export function trainingStepGraph(parts: TrainingParts): Graph {
  const { batchSize, context, condition } = parts;
  const point: TensorType = { shape: [batchSize, ...context.shape], dtype: 'f32' };
  return trace(
    (given) => {
      const batch = {
        x1: given.x1,
        ...(given.x0 && { x0: given.x0 }),
        ...(condition && { condition: given.condition as Tensors }),
      };
      const state = given.state as unknown as Parameters<typeof updateFormula>[1];
      const seed = { key: given.seed.key, firstSample: constant(0, 'u32'), step: given.seed.step };
      const result = gradientsFormula(parts, state.parameters, batch, seed);
      return {
        state: updateFormula(parts, state, result, {
          learningRate: given.learningRate,
          step: given.step,
          ...(given.emaDecay && { emaDecay: given.emaDecay }),
        }),
      };
    },
    {
      state: {
        parameters: parts.parameters,
        optimizer: parts.optimizerState,
        ...(parts.ema && { ema: parts.parameters }),
        statistics: { shape: [4], dtype: 'f32' as const },
      },
      x1: point,
      ...(parts.feedsSource && { x0: point }),
      ...(condition && { condition }),
      seed: { key: { shape: [2], dtype: 'u32' as const }, step: { shape: [], dtype: 'u32' as const } },
      learningRate: scalar,
      step: scalar,
      ...(parts.ema && { emaDecay: scalar }),
    },
  );
}
