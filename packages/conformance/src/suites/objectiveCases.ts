import { conditionalField, timeAgainst, type Objective, type ObjectiveSample, type Path } from '@flow-matching/core';
import {
  FlowMatchingError,
  jvp,
  onesLike,
  OptionError,
  sizeOf,
  vjp,
  zerosLike,
  type Shape,
  type Tensor,
} from '@flow-matching/tensor';
import { optimalTransport, trigonometric, variancePreserving } from '@flow-matching/plugins';
import type { CaseContext, ConformanceCase } from '../case/conformanceCase.ts';
import { claim } from '../case/conformanceError.ts';
import { exact } from '../case/limit.ts';
import { atomEndpoints, atomsField, atomsFlow, atomCount, drawAtoms, posteriorMean } from '../mathematics/atoms.ts';
import { compare } from '../mathematics/compare.ts';
import { conditioned } from '../mathematics/conditioned.ts';
import { evaluate, evaluateInDouble, floats, type Arrays, type NamedFormula } from '../mathematics/evaluate.ts';
import { innerShares, trialOf } from '../mathematics/pathSamples.ts';
import { sensitivity } from '../mathematics/sensitivity.ts';

export interface ObjectiveCaseOptions {
  /** The label in ids. Default: the objective's name. */
  readonly label?: string;
  /** The paths on which it is checked. Default: optimal transport, variance preserving and trigonometric, as far as it accepts them. */
  readonly paths?: readonly Path[];
  /** Shape of one data point. Default [2]. */
  readonly shape?: Shape;
}

interface Trial {
  readonly objective: Objective;
  readonly path: Path;
  readonly shape: Shape;
}

/**
 * The checks that every objective must pass: level 4 with the ids `L4/<label>/…`. The loss must be quadratic in the prediction, as in
 * all regressions whose minimizer is a conditional mean.
 *
 * @throws OptionError if the objective refuses every path.
 */
export function objectiveCases(
  objective: Objective,
  {
    label = objective.name,
    paths = [optimalTransport(), variancePreserving(), trigonometric()],
    shape = [2],
  }: ObjectiveCaseOptions = {},
): readonly ConformanceCase[] {
  const accepted = paths.filter((path) => accepts(objective, path, shape));
  if (accepted.length === 0) {
    throw new OptionError(`The objective '${objective.name}' refuses every path.`, {
      actual: paths.map(({ name }) => name),
      expected: 'a path that it accepts, in the option paths',
    });
  }
  return accepted.flatMap((path) => {
    const each = (
      part: string,
      claimed: string,
      run: (context: CaseContext, trial: Trial) => Promise<void>,
    ): ConformanceCase => ({
      id: `L4/${label}/${part} on ${path.name}`,
      level: 4,
      dtype: 'f32',
      claim: claimed,
      run: (context) => run(context, { objective, path, shape }),
    });
    return [
      each('shapes', 'losses are [batch], fields are shaped like points, both finite', measureShapes),
      each('rows', 'the loss of a sample does not depend on other samples', measureRows),
      each(
        'minimizer',
        'the prediction that minimizes the expected loss converts to the marginal field (Lipman et al. 2023, equations 6 to 9)',
        measureMinimizer,
      ),
    ];
  });
}

function accepts(objective: Objective, path: Path, shape: Shape): boolean {
  try {
    objective.validate?.(path, shape);
    return true;
  } catch (error) {
    if (error instanceof FlowMatchingError) return false;
    throw error;
  }
}

/** Inner times of the interval in which the objective converts, noise, atoms and the atom that each row comes from. */
function draw({ random }: CaseContext, { objective, path, shape }: Trial): Arrays {
  const { start, end } = objective.interval?.(path) ?? path.interval;
  const times = innerShares.map((share) => start * (1 - share) + end * share);
  const rows = times.length;
  return {
    t: floats(times),
    noise: random.normal([rows, ...shape]),
    ...drawAtoms(trialOf(path, { shape }), random, rows),
    turn: floats(times.map((_, i) => i % atomCount)),
  };
}

type Tensors = Record<string, Tensor>;

/** The points of rows on the conditional flow of their atoms. */
const pointsOf = (path: Path, { t, noise, turn, ...atoms }: Tensors): Tensor =>
  atomsFlow(path, t, noise, atoms, turn).x;

/** The sample that a training would see at `x` if the k-th atom had led there. */
function sampleOf(path: Path, t: Tensor, x: Tensor, atoms: Tensors, k: number): ObjectiveSample {
  const z = atomEndpoints(atoms, k, x);
  const time = timeAgainst(t, x);
  const noise = x.sub(path.mean(time, z)).div(path.std(time));
  return { path, t, z, noise, x, velocity: conditionalField(path, t, x, z) };
}

async function measureShapes(context: CaseContext, trial: Trial): Promise<void> {
  const { objective, path, shape } = trial;
  const inputs = draw(context, trial);
  const rows = inputs['t'].shape[0];
  const { loss, field } = await evaluate(
    context,
    (given) => {
      const { t, noise, turn: _, ...atoms } = given;
      const x = pointsOf(path, given);
      return {
        loss: objective.loss(noise, sampleOf(path, t, x, atoms, 0)),
        field: objective.field(noise, { path, t, x }),
      };
    },
    inputs,
  );
  for (const [name, array, wanted] of [
    ['loss', loss, [rows]],
    ['field', field, [rows, ...shape]],
  ] as const) {
    claim(array.shape.join() === wanted.join(), `The ${name} is [${array.shape.join()}].`, {
      expected: `[${wanted.join()}]`,
    });
    claim(array.data.every(Number.isFinite), `The ${name} is not finite.`, { expected: 'finite numbers' });
  }
}

/** The first row's loss, beside others. */
async function measureRows(context: CaseContext, trial: Trial): Promise<void> {
  const { objective, path } = trial;
  const inputs = draw(context, trial);
  const rows = inputs['t'].shape[0];
  const formula: NamedFormula = (given) => {
    const { t, noise, turn: _, ...atoms } = given;
    return { loss: objective.loss(noise, sampleOf(path, t, pointsOf(path, given), atoms, 0)).slice(0, 0, 1) };
  };
  const others = {
    ...inputs,
    noise: {
      ...inputs['noise'],
      data: Float32Array.from(inputs['noise'].data, (value, i) =>
        i < inputs['noise'].data.length / rows ? value : 1 - 2 * value,
      ),
    },
  };
  const [one, other] = [await evaluate(context, formula, inputs), await evaluate(context, formula, others)];
  compare(context, "the first row's loss beside others", other['loss'], one['loss'].data, exact);
}

/** A quadratic has its minimum one Newton step from anywhere; the Hessian of a mean over coordinates is diagonal. */
async function measureMinimizer(context: CaseContext, trial: Trial): Promise<void> {
  const { objective, path } = trial;
  const inputs = draw(context, trial);
  const { x } = evaluateInDouble((given) => ({ x: pointsOf(path, given) }), inputs);
  const { noise: _, turn: __, ...given } = inputs;
  const at: Arrays = { ...given, x: floats(Array.from(x.data), x.shape) };
  const formula: NamedFormula = ({ t, x: points, ...atoms }) => {
    const expectedLoss = (prediction: Tensor): Tensor =>
      posteriorMean(path, t, points, atoms, (k) => objective.loss(prediction, sampleOf(path, t, points, atoms, k)));
    const gradient = (prediction: Tensor): Tensor => {
      const { outputs, pullback } = vjp((p) => [expectedLoss(p)], [prediction]);
      return pullback([onesLike(outputs[0])])[0];
    };
    const origin = zerosLike(points);
    const curvature = jvp((p) => [gradient(p)], [origin], [onesLike(origin)]).tangents[0];
    const minimizer = gradient(origin).neg().div(curvature);
    return { field: objective.field(minimizer, { path, t, x: points }) };
  };
  const expected = evaluateInDouble(
    ({ t, x: points, ...atoms }) => ({ field: atomsField(path, t, points, atoms) }),
    at,
  );
  const width = sizeOf(trial.shape);
  const inputOf = (i: number): string => `t = ${at['t'].data[Math.floor(i / width)]}, x = ${at['x'].data[i]}`;
  const [{ field }, sizes] = [await evaluate(context, formula, at), sensitivity(formula, at)];
  compare(context, 'the field', field, expected['field'].data, conditioned(sizes['field']), inputOf);
}
