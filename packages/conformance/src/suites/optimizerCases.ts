import type { Optimizer } from '@flow-matching/core';
import {
  flattenTree,
  readTree,
  TracedProgram,
  typesOf,
  type BackendArray,
  type HostArray,
  type TensorType,
} from '@flow-matching/tensor';
import type { CaseContext, ConformanceCase } from '../case/conformanceCase.ts';
import { claim } from '../case/conformanceError.ts';
import { exact } from '../case/limit.ts';
import { compare } from '../mathematics/compare.ts';
import { floats } from '../mathematics/evaluate.ts';

export interface OptimizerCaseOptions {
  /** The label in ids. Default: the optimizer's name. */
  readonly label?: string;
  /** The learning rate of the descent. Default 0.05. */
  readonly learningRate?: number;
}

interface Trial {
  readonly optimizer: Optimizer;
  readonly learningRate: number;
}

/** The checks that every optimizer must pass: level 4 with the ids `L4/<label>/…`. */
export function optimizerCases(
  optimizer: Optimizer,
  { label = optimizer.name, learningRate = 0.05 }: OptimizerCaseOptions = {},
): readonly ConformanceCase[] {
  const each = (
    part: string,
    claimed: string,
    run: (context: CaseContext, trial: Trial) => Promise<void>,
  ): ConformanceCase => ({
    id: `L4/${label}/${part}`,
    level: 4,
    dtype: 'f32',
    claim: claimed,
    run: (context) => run(context, { optimizer, learningRate }),
  });
  return [
    each('state', 'the state is finite, the same for equal parameters, and keeps its types', checkState),
    each('rest', 'a learning rate of 0 changes no parameter; a gradient of 0 moves none away from 0', measureRest),
    each('descent', 'two hundred steps bring a quadratic below a tenth of where it began', measureDescent),
    each('resumed', 'ten steps are five steps and five more from the state that was read, bit for bit', measureResumed),
  ];
}

const extents = [3, 4];
const parameterType: TensorType = { shape: extents, dtype: 'f32' };
const scalar: TensorType = { shape: [], dtype: 'f32' };

/** A parameter and the slots of its state. */
type Carried<Leaf> = { readonly parameter: Leaf; readonly state: Readonly<Record<string, Leaf>> };

interface Descent {
  readonly values: Carried<HostArray>;
  /** Values after each step. */
  readonly losses: readonly number[];
}

interface DescentRequest {
  readonly start: Carried<HostArray>;
  /** The quadratic ½·Σ curvature·(x − optimum)². */
  readonly curvature: HostArray;
  readonly optimum: HostArray;
  readonly learningRate: number;
  /** Numbers of the first and the last update. */
  readonly steps: readonly [first: number, last: number];
}

/** Steps of an optimizer down a quadratic, on the case's backend. */
async function descend({ backend }: CaseContext, optimizer: Optimizer, request: DescentRequest): Promise<Descent> {
  const { start, curvature, optimum, learningRate, steps } = request;
  const types: Carried<TensorType> = typesOf(start);
  const traced = new TracedProgram(
    ({ parameter, state, curvature: c, optimum: a, learningRate: rate, step }) => {
      const distance = parameter.sub(a);
      const updated = optimizer.update({ parameter, gradient: c.mul(distance), state, learningRate: rate, step });
      return {
        parameter: updated.parameter,
        state: Object.fromEntries(Object.keys(state).map((slot) => [slot, updated.state[slot]])),
        loss: c.mul(distance.square()).mul(0.5).sum(),
      };
    },
    { ...types, curvature: parameterType, optimum: parameterType, learningRate: scalar, step: scalar },
  );
  for (const [name, type] of flattenTree<TensorType>(types)) {
    const { shape, dtype } = traced.graph.output(name);
    claim(
      shape.join() === type.shape.join() && dtype === type.dtype,
      `An update makes ${dtype}[${shape.join()}] of '${name}'.`,
      { expected: `${type.dtype}[${type.shape.join()}]` },
    );
  }
  const program = await traced.compile(backend);
  let carried: Carried<BackendArray | HostArray> = start;
  const losses: number[] = [];
  try {
    for (let step = steps[0]; step <= steps[1]; step++) {
      const { loss, ...after } = await program.run({
        ...carried,
        curvature,
        optimum,
        learningRate: floats([learningRate], []),
        step: floats([step], []),
      });
      losses.push((await loss.read())[0]);
      loss.dispose();
      dispose(carried);
      carried = after;
    }
    return { values: (await readTree(carried as Carried<BackendArray>)) as Carried<HostArray>, losses };
  } finally {
    dispose(carried);
    await program.dispose();
  }
}

function dispose(arrays: Carried<BackendArray | HostArray>): void {
  for (const [, array] of flattenTree<BackendArray | HostArray>(arrays)) if ('dispose' in array) array.dispose();
}

/** A parameter and the optimizer's state before the first step. */
const beginning = ({ random }: CaseContext, optimizer: Optimizer): Carried<HostArray> => ({
  parameter: random.normal(extents),
  state: optimizer.init(parameterType),
});

/** A quadratic with curvatures of ½ to 2 and its minimum away from the start. */
function quadratic({ random }: CaseContext): Pick<DescentRequest, 'curvature' | 'optimum'> {
  const uniform = random.uniform(extents);
  const curvature = { ...uniform, data: Float32Array.from(uniform.data, (value) => 2 ** (2 * value - 1)) };
  return { curvature, optimum: random.normal(extents) };
}

async function checkState(context: CaseContext, { optimizer, learningRate }: Trial): Promise<void> {
  claim(
    optimizer.learningRate > 0 && Number.isFinite(optimizer.learningRate),
    `The learning rate is ${optimizer.learningRate}.`,
    {
      expected: 'a number above 0',
    },
  );
  const [first, again] = [optimizer.init(parameterType), optimizer.init(parameterType)];
  for (const [slot, { data }] of Object.entries(first)) {
    claim(data.every(Number.isFinite), `The state '${slot}' begins with values that are not finite.`);
    const repeats = again[slot]?.data.every((value, i) => value === data[i]) ?? false;
    claim(repeats, `The state '${slot}' differs between two parameters of one type.`);
  }
  const start = beginning(context, optimizer);
  const { values } = await descend(context, optimizer, { start, ...quadratic(context), learningRate, steps: [1, 3] });
  for (const [name, { data }] of flattenTree<HostArray>(values))
    claim(data.every(Number.isFinite), `'${name}' is not finite after three steps.`, { expected: 'finite numbers' });
}

async function measureRest(context: CaseContext, { optimizer, learningRate }: Trial): Promise<void> {
  const start = beginning(context, optimizer);
  const resting = await descend(context, optimizer, { start, ...quadratic(context), learningRate: 0, steps: [1, 2] });
  const { parameter } = start;
  compare(context, 'parameters at a learning rate of 0', resting.values.parameter, parameter.data, exact);
  const flat = { curvature: floats(new Array<number>(parameter.data.length).fill(0), extents), optimum: parameter };
  const { values } = await descend(context, optimizer, { start, ...flat, learningRate, steps: [1, 2] });
  const grown = values.parameter.data.findIndex((value, i) => !(Math.abs(value) <= Math.abs(parameter.data[i])));
  claim(grown < 0, `A gradient of 0 moves ${parameter.data[grown]} to ${values.parameter.data[grown]}.`, {
    expected: 'a parameter that stays, or decays',
  });
}

async function measureDescent(context: CaseContext, { optimizer, learningRate }: Trial): Promise<void> {
  const start = beginning(context, optimizer);
  const { losses } = await descend(context, optimizer, { start, ...quadratic(context), learningRate, steps: [1, 200] });
  const [before, after] = [losses[0], losses.at(-1)!];
  context.measure({
    what: `the quadratic, ${before} before and ${after} after`,
    ratio: after / (before / 10),
    limit: 'a tenth',
  });
}

async function measureResumed(context: CaseContext, { optimizer, learningRate }: Trial): Promise<void> {
  const start = beginning(context, optimizer);
  const request = { ...quadratic(context), learningRate };
  const whole = await descend(context, optimizer, { ...request, start, steps: [1, 10] });
  const half = await descend(context, optimizer, { ...request, start, steps: [1, 5] });
  const resumed = await descend(context, optimizer, { ...request, start: half.values, steps: [6, 10] });
  const again = Object.fromEntries(flattenTree<HostArray>(resumed.values));
  for (const [name, { data }] of flattenTree<HostArray>(whole.values))
    compare(context, `'${name}' of the resumed descent`, again[name], data, exact);
}
