import type { Parameters, VectorFieldModel } from '@flow-matching/core';
import {
  flattenTree,
  HostRandomStream,
  isFloat,
  jvp,
  mapTree,
  mapTrees,
  valueAndGrad,
  vjp,
  type HostArray,
  type Shape,
  type Tensor,
  type TensorType,
  type Tree,
} from '@flow-matching/tensor';
import type { CaseContext, ConformanceCase } from '../case/conformanceCase.ts';
import { claim } from '../case/conformanceError.ts';
import { close, exact, roundOff } from '../case/limit.ts';
import { compareNumbers } from '../case/measurement.ts';
import { compare } from '../mathematics/compare.ts';
import { evaluate, floats, leavesOf, withLeaves } from '../mathematics/evaluate.ts';

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

/** What a model is applied to: arrays or symbols. */
type Inputs<Leaf> = {
  readonly parameters: Tree<Leaf>;
  readonly condition: Readonly<Record<string, Leaf>>;
  readonly t: Leaf;
  readonly x: Leaf;
};

/** Perturbed parameters, times, points and conditions. */
function draw({ random }: CaseContext, { model, shape, condition }: Trial): Inputs<HostArray> {
  const own: Parameters = model.init(random, { shape, condition });
  const parameters = mapTree<HostArray, HostArray>(own, (array) => noisy(array, random));
  const conditions = Object.entries(condition).map(([name, each]) => [name, random.normal([rows, ...each])] as const);
  return {
    parameters,
    condition: Object.fromEntries(conditions),
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

const apply = ({ model, condition: shapes }: Trial, { parameters, condition, t, x }: Inputs<Tensor>): Tensor =>
  model.apply(parameters, {
    t,
    x,
    training: false,
    ...(Object.keys(shapes).length > 0 && { condition }),
  });

async function measureOutputs(context: CaseContext, trial: Trial): Promise<void> {
  const inputs = draw(context, trial);
  const formula = (given: Inputs<Tensor>): { v: Tensor } => ({ v: apply(trial, given) });
  const [{ v }, again] = [await evaluate(context, formula, inputs), await evaluate(context, formula, inputs)];
  const wanted = [rows, ...trial.shape].join();
  claim(v.shape.join() === wanted, `The output is [${v.shape.join()}].`, { expected: `[${wanted}]` });
  claim(v.dtype === 'f32', `The output is ${v.dtype}.`, { expected: 'f32, as the points are' });
  claim(v.data.every(Number.isFinite), 'The output is not finite.', {
    expected: 'finite values for points of size one',
  });
  compare(context, 'the same outputs again', again.v, v.data, exact);
  const far = { ...inputs, x: { ...inputs.x, data: Float32Array.from(inputs.x.data, (value) => 30 * value) } };
  const { v: beyond } = await evaluate(context, formula, far);
  claim(beyond.data.every(Number.isFinite), 'The output is not finite.', {
    expected: 'finite values thirty times as far out',
  });
}

/** The same program, with the first row next to different other rows. */
async function measureRows(context: CaseContext, trial: Trial): Promise<void> {
  const inputs = draw(context, trial);
  const { parameters, ...own } = inputs;
  const others = mapTree<HostArray, HostArray>(own, (array) => behindFirst(array, (value) => 0.5 - value / 2));
  const beside = { parameters, ...(others as typeof own) };
  const formula = (given: Inputs<Tensor>): { v: Tensor } => ({ v: apply(trial, given) });
  const first = ({ v }: { v: HostArray }): HostArray => ({
    ...v,
    data: v.data.slice(0, v.data.length / rows),
    shape: v.shape.slice(1),
  });
  const [one, other] = [await evaluate(context, formula, inputs), await evaluate(context, formula, beside)];
  const size = Math.max(...Array.from(one.v.data, (value) => Math.abs(value)));
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
    ({ weight: weights, ...given }) =>
      valueAndGrad(
        (at) =>
          apply(trial, { ...given, parameters: replaced(given.parameters, at) })
            .mul(weights)
            .sum(),
        floatsOf(given.parameters),
      ).gradient,
    { ...inputs, weight },
  );
  for (const [name, { data }] of flattenTree<HostArray>(gradients)) {
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

/** The floats of a tree, by which it can be differentiated. */
const floatsOf = <Leaf extends TensorType>(tree: Tree<Leaf>): Tree<Leaf> =>
  mapTree<Leaf, Leaf | undefined>(tree, (leaf) => (isFloat(leaf.dtype) ? leaf : undefined));

/** The tree with other leaves where there are some. */
const replaced = (tree: Tree<Tensor>, others: Tree<Tensor>): Tree<Tensor> =>
  mapTrees<Tensor, Tensor>((own, other) => (other as Tensor | undefined) ?? own, tree, others);

/** ⟨w, J·v⟩ = ⟨Jᵀ·w, v⟩ over points and parameters together. */
async function measureAdjoint(context: CaseContext, trial: Trial): Promise<void> {
  const inputs = draw(context, trial);
  const weight = context.random.normal([rows, ...trial.shape]);
  const movingOf = <Leaf extends TensorType>({ parameters, x }: Inputs<Leaf>) => ({
    parameters: floatsOf(parameters),
    x,
  });
  const direction = mapTree<HostArray, HostArray>(movingOf(inputs), ({ shape }) => context.random.normal(shape));
  const got = await evaluate(
    context,
    ({ weight: weights, direction: along, ...given }) => {
      const moving = movingOf(given);
      const formula = (...primals: Tensor[]): Tensor[] => {
        const { parameters, x } = withLeaves(moving, primals) as typeof moving;
        return [apply(trial, { ...given, parameters: replaced(given.parameters, parameters), x })];
      };
      const primals = leavesOf<Tensor>(moving);
      const { tangents } = jvp(formula, primals, leavesOf<Tensor>(along));
      return { tangent: tangents[0], cotangents: vjp(formula, primals).pullback([weights]) };
    },
    { ...inputs, direction, weight },
  );
  const forward = products(got.tangent.data, weight.data);
  const reverse = leavesOf<HostArray>(direction).flatMap(({ data }, i) => products(got.cotangents[i].data, data));
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
