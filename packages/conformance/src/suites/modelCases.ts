import { unflattenParameters, type VectorFieldModel } from '@flow-matching/core';
import {
  flattenTree,
  HostRandomStream,
  isFloat,
  jvp,
  valueAndGrad,
  vjp,
  type HostArray,
  type Shape,
  type Tensor,
} from '@flow-matching/tensor';
import type { CaseContext, ConformanceCase } from '../case/conformanceCase.ts';
import { claim } from '../case/conformanceError.ts';
import { close, exact, roundOff } from '../case/limit.ts';
import { compareNumbers } from '../case/measurement.ts';
import { compare } from '../mathematics/compare.ts';
import { evaluate, floats, type Arrays } from '../mathematics/evaluate.ts';

export interface ModelCaseOptions {
  /** The label in ids. Default: the model's name. */
  readonly label?: string;
  /** Shape of one data point. Default [2]. */
  readonly shape?: Shape;
  /** Shapes of the model's conditions, without the batch. Default: none. Conditions are floats. */
  readonly condition?: Readonly<Record<string, Shape>>;
}

interface Trial {
  readonly model: VectorFieldModel;
  readonly shape: Shape;
  readonly condition: Readonly<Record<string, Shape>>;
}

/**
 * The checks that every model must pass: level 4 with the ids `L4/<label>/…`. Parameters are the model's initial ones plus some
 * noise, so that layers initialized to zero take part.
 */
export function modelCases(
  model: VectorFieldModel,
  { label = model.name, shape = [2], condition = {} }: ModelCaseOptions = {},
): readonly ConformanceCase[] {
  const trial = { model, shape, condition };
  const each = (
    part: string,
    claimed: string,
    run: (context: CaseContext, trial: Trial) => Promise<void> | void,
  ): ConformanceCase => ({
    id: `L4/${label}/${part}`,
    level: 4,
    dtype: 'f32',
    claim: claimed,
    run: async (context) => run(context, trial),
  });
  return [
    each('parameters', 'parameters depend on the seed alone, and are finite', checkParameters),
    each('shapes', 'the output is shaped like the points, finite and the same each time', measureOutputs),
    each('rows', 'an output row depends on its own sample only', measureRows),
    each('gradients', 'every parameter has a finite gradient that is not zero', checkGradients),
    each('adjoint', 'forward and reverse derivatives are adjoint', measureAdjoint),
  ];
}

function checkParameters(_: CaseContext, { model, shape, condition }: Trial): void {
  const draw = (seed: number): [string, HostArray][] =>
    flattenTree<HostArray>(model.init(new HostRandomStream(seed), { shape, condition }));
  const [first, again, other] = [draw(1), draw(1), draw(2)];
  for (const [i, [name, { data }]] of first.entries()) {
    claim(data.every(Number.isFinite), `The parameter '${name}' starts with values that are not finite.`);
    const repeats = again[i]?.[0] === name && again[i][1].data.every((value, k) => value === data[k]);
    claim(repeats, `The parameter '${name}' differs between two calls with one seed.`, { expected: 'the same values' });
  }
  const drawn = first.some(([, { data }], i) => data.some((value, k) => value !== other[i]?.[1].data[k]));
  claim(first.length === 0 || drawn, 'No parameter depends on the seed.', {
    expected: 'different values for another seed',
  });
}

const rows = 5;

/** Perturbed parameters, times, points and conditions, by their names in the formulas below. */
function draw({ random }: CaseContext, { model, shape, condition }: Trial): Arrays {
  const parameters = flattenTree<HostArray>(model.init(random, { shape, condition })).map(
    ([name, array]) => [`parameters.${name}`, noisy(array, random)] as const,
  );
  const conditions = Object.entries(condition).map(
    ([name, each]) => [`condition.${name}`, random.normal([rows, ...each])] as const,
  );
  return {
    ...Object.fromEntries(parameters),
    ...Object.fromEntries(conditions),
    // Includes both ends of the time axis.
    t: floats([0, 0.2, 0.5, 0.8, 1]),
    x: random.normal([rows, ...shape]),
  };
}

function noisy(array: HostArray, random: HostRandomStream): HostArray {
  if (!isFloat(array.dtype)) return array;
  const noise = random.normal(array.shape, 0.1).data;
  return { ...array, data: Float32Array.from(array.data, (value, i) => value + noise[i]) };
}

type Inputs = Record<string, Tensor>;

const withPrefix = (inputs: Inputs, prefix: string): Inputs =>
  Object.fromEntries(
    Object.entries(inputs)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );

const parametersOf = (inputs: Inputs): Inputs => withPrefix(inputs, 'parameters.');

function apply(
  { model, condition }: Trial,
  inputs: Inputs,
  parameters = parametersOf(inputs),
  x = inputs['x'],
): Tensor {
  return model.apply(unflattenParameters(parameters), {
    t: inputs['t'],
    x,
    training: false,
    ...(Object.keys(condition).length > 0 && { condition: withPrefix(inputs, 'condition.') }),
  });
}

async function measureOutputs(context: CaseContext, trial: Trial): Promise<void> {
  const inputs = draw(context, trial);
  const formula = (given: Inputs): Inputs => ({ v: apply(trial, given) });
  const [{ v }, again] = [await evaluate(context, formula, inputs), await evaluate(context, formula, inputs)];
  const wanted = [rows, ...trial.shape].join();
  claim(v.shape.join() === wanted, `The output is [${v.shape.join()}].`, { expected: `[${wanted}]` });
  claim(v.dtype === 'f32', `The output is ${v.dtype}.`, { expected: 'f32, as the points are' });
  claim(v.data.every(Number.isFinite), 'The output is not finite.', {
    expected: 'finite values for points of size one',
  });
  compare(context, 'the same outputs again', again['v'], v.data, exact);
  const far = { ...inputs, x: { ...inputs['x'], data: Float32Array.from(inputs['x'].data, (value) => 30 * value) } };
  const { v: beyond } = await evaluate(context, formula, far);
  claim(beyond.data.every(Number.isFinite), 'The output is not finite.', {
    expected: 'finite values thirty times as far out',
  });
}

/** The same program, with the first row next to different other rows. */
async function measureRows(context: CaseContext, trial: Trial): Promise<void> {
  const inputs = draw(context, trial);
  const others = Object.fromEntries(
    Object.entries(inputs).map(([name, array]) => [
      name,
      name.startsWith('parameters.') ? array : behindFirst(array, (value) => 0.5 - value / 2),
    ]),
  );
  const formula = (given: Inputs): Inputs => ({ v: apply(trial, given) });
  const first = ({ v }: Arrays): HostArray => ({
    ...v,
    data: v.data.slice(0, v.data.length / rows),
    shape: v.shape.slice(1),
  });
  const [one, other] = [await evaluate(context, formula, inputs), await evaluate(context, formula, others)];
  const size = Math.max(...Array.from(one['v'].data, (value) => Math.abs(value)));
  // A backend may change the order of sums, but not sum over other rows.
  compare(
    context,
    'the first row beside others',
    first(other),
    first(one).data,
    close(2 ** -16 * size, 0, '256 roundings of f32'),
  );
}

/** Changes all rows except the first. */
const behindFirst = (array: HostArray, change: (value: number) => number): HostArray => ({
  ...array,
  data: Float32Array.from(array.data, (value, i) => (i < array.data.length / rows ? value : change(value))),
});

async function checkGradients(context: CaseContext, trial: Trial): Promise<void> {
  const inputs = draw(context, trial);
  const weight = context.random.normal([rows, ...trial.shape]);
  const gradients = await evaluate(
    context,
    ({ weight: weights, ...given }) => {
      const { gradient } = valueAndGrad(
        (at: Inputs) => apply(trial, given, at).mul(weights).sum(),
        floatsOf(parametersOf(given)),
      );
      return gradient;
    },
    { ...inputs, weight },
  );
  for (const [name, { data }] of Object.entries(gradients)) {
    claim(data.every(Number.isFinite), `The gradient of '${name}' is not finite.`);
    claim(
      data.some((value) => value !== 0),
      `The parameter '${name}' has no part in the output.`,
      {
        expected: 'a gradient that is not zero throughout',
        remedy: 'Use the parameter, or leave it out.',
      },
    );
  }
}

const floatsOf = (tensors: Inputs): Inputs =>
  Object.fromEntries(Object.entries(tensors).filter(([, { dtype }]) => isFloat(dtype)));

/** ⟨w, J·v⟩ = ⟨Jᵀ·w, v⟩ over points and parameters together. */
async function measureAdjoint(context: CaseContext, trial: Trial): Promise<void> {
  const inputs = draw(context, trial);
  const weight = context.random.normal([rows, ...trial.shape]);
  const moving = Object.keys(inputs).filter(
    (name) => isFloat(inputs[name].dtype) && (name === 'x' || name.startsWith('parameters.')),
  );
  const directions = Object.fromEntries(
    moving.map((name) => [`direction.${name}`, context.random.normal(inputs[name].shape)]),
  );
  const got = await evaluate(
    context,
    ({ weight: weights, ...given }) => {
      const formula = (...primals: Tensor[]): Tensor[] => {
        const at = { ...given, ...Object.fromEntries(moving.map((name, i) => [name, primals[i]])) };
        return [apply(trial, at)];
      };
      const primals = moving.map((name) => given[name]);
      const along = withPrefix(given, 'direction.');
      const { tangents } = jvp(
        formula,
        primals,
        moving.map((name) => along[name]),
      );
      const cotangents = vjp(formula, primals).pullback([weights]);
      return {
        tangent: tangents[0],
        ...Object.fromEntries(moving.map((name, i) => [`cotangent.${name}`, cotangents[i]])),
      };
    },
    { ...inputs, ...directions, weight },
  );
  const forward = products(got['tangent'].data, weight.data);
  const reverse = moving.flatMap((name) =>
    products(got[`cotangent.${name}`].data, directions[`direction.${name}`].data),
  );
  const total = (terms: readonly number[]): number => terms.reduce((sum, term) => sum + term, 0);
  const magnitude = total([...forward, ...reverse].map(Math.abs));
  context.measure(
    compareNumbers(
      '⟨w, J·v⟩, beside ⟨Jᵀ·w, v⟩',
      total(forward),
      total(reverse),
      // Sums are computed in f64; a wrong derivative is off by the order of the terms.
      roundOff('f32', 4096, [magnitude]),
    ),
  );
}

const products = (a: ArrayLike<number>, b: ArrayLike<number>): number[] => Array.from(a, (value, i) => value * b[i]);
