import { conditionalField, conditionalFlow, conditionalScore, conditionalLogDensity } from '@flow-matching/core';
import { type HostRandomStream, type Tensor } from '@flow-matching/tensor';
import { checkerboardDensity, gaussianMixture, type MarginalDensity } from '@flow-matching/plugins';
import type { CaseContext, ConformanceCase } from '../case/conformanceCase.ts';
import { checkerboardValues, drawCheckerboard } from './checkerboard.ts';
import type { ClosedForm } from './closedForms.ts';
import { compare } from './compare.ts';
import { conditioned } from './conditioned.ts';
import type { ConformancePath } from './conformancePaths.ts';
import { measureContinuity } from './continuityEquation.ts';
import { evaluate, floats, type NamedFormula } from './evaluate.ts';
import { drawMixture, gaussianData, mixtureData, mixtureValues, type MarginalValues } from './mixture.ts';
import { describeElement, drawRows, endpointsOf, innerShares, timesAt, trialOf } from './pathSamples.ts';
import { sensitivity } from './sensitivity.ts';

/** Data whose marginals along one-sided paths are known, from the plugins' formulas and independently on the host. */
interface KnownMarginals {
  readonly name: string;
  readonly density: () => MarginalDensity;
  readonly values: (form: ClosedForm, x: readonly number[]) => MarginalValues;
  /** Draws [count, 2] data points. */
  readonly draw: (random: HostRandomStream, count: number) => ArrayLike<number>;
  /** Fraction of the interval up to which formulas are exact in f32. */
  readonly until: number;
}

const known: readonly KnownMarginals[] = [
  {
    name: 'Gaussian',
    density: () => gaussianMixture(gaussianData),
    values: (form, x) => mixtureValues(gaussianData, form, x),
    draw: (random, count) => drawMixture(gaussianData, random, count),
    until: 1 - 2 ** -6,
  },
  {
    name: 'mixture',
    density: () => gaussianMixture(mixtureData),
    values: (form, x) => mixtureValues(mixtureData, form, x),
    draw: (random, count) => drawMixture(mixtureData, random, count),
    until: 1 - 2 ** -6,
  },
  // Its differences of error functions cancel in f32 if the noise is much narrower than a square.
  {
    name: 'checkerboard',
    density: checkerboardDensity,
    values: checkerboardValues,
    draw: drawCheckerboard,
    until: 0.95,
  },
];

/** The closed form of one path, conditional and marginal: densities, fields, scores, and Theorem 1. */
export function marginalCases({ label, path, form }: ConformancePath): readonly ConformanceCase[] {
  if (!form) return [];
  const each = (name: string, claim: string, run: (context: CaseContext) => Promise<void>): ConformanceCase => ({
    id: `L4/${label}/${name}`,
    level: 4,
    dtype: 'f32',
    claim,
    run,
  });
  const conditional = each('closed form', 'mean, std, field and score are those of the published formulas', (context) =>
    measureConditional(context, { label, path, form }),
  );
  if (path.sides === 'two') return [conditional];
  return [
    conditional,
    ...known.flatMap((data) => [
      each(
        `${data.name}/marginals`,
        `log p_t, its score and u_t of ${data.name} data are the analytic ones`,
        (context) => measureMarginals(context, { label, path, form }, data),
      ),
      each(
        `${data.name}/continuity`,
        `p_t and u_t of ${data.name} data obey the continuity equation (Theorem 1)`,
        (context) => {
          const points = drawPoints(context, { label, path, form }, data);
          const terms = Array.from(points.t.data, form).map(({ std, stdRate }) => Math.abs(stdRate / std));
          return measureContinuity(context, motionOf({ label, path }, data), points, terms);
        },
      ),
    ]),
  ];
}

type WithForm = ConformancePath & Required<Pick<ConformancePath, 'form'>>;

async function measureConditional(context: CaseContext, { path, form }: WithForm): Promise<void> {
  const inputs = drawRows(trialOf(path), context.random, timesAt(path, innerShares));
  const { t, x1, x0, noise } = inputs;
  const rows = Array.from(t.data, form);
  const isSpread = rows.every(({ std }) => std > 0);
  const formula: NamedFormula = ({ t: times, noise: epsilon, ...z }) => {
    const ends = endpointsOf(z);
    const { x, velocity } = conditionalFlow(path, times, ends, epsilon);
    return {
      x,
      velocity,
      ...((isSpread || path.field) && { field: conditionalField(path, times, x.add(1), ends) }),
      ...(isSpread && {
        score: conditionalScore(path, times, x, ends),
        logDensity: conditionalLogDensity(path, times, x, ends),
      }),
    };
  };
  const exact = Array.from(noise.data, (epsilon, i) => {
    const { scale, std, scaleRate, stdRate, sourceScale = 0, sourceScaleRate = 0 } = rows[Math.floor(i / 2)];
    const [data, source] = [x1.data[i], x0 ? x0.data[i] : 0];
    const rate = scaleRate * data + sourceScaleRate * source;
    return {
      x: scale * data + sourceScale * source + std * epsilon,
      velocity: rate + stdRate * epsilon,
      // At x + 1.
      field: rate + stdRate * epsilon + (isSpread ? stdRate / std : 0),
      score: -epsilon / std,
      logDensity: -(epsilon ** 2) / 2 - Math.log(std * Math.sqrt(2 * Math.PI)),
    };
  });
  const got = await evaluate(context, formula, inputs);
  const sizes = sensitivity(formula, inputs);
  for (const [name, values] of Object.entries(got)) {
    const each = exact.map((value) => value[name as keyof (typeof exact)[number]]);
    const expected = name === 'logDensity' ? rows.map((_, row) => each[2 * row] + each[2 * row + 1]) : each;
    compare(context, name, values, expected, conditioned(sizes[name]), describeElement(inputs));
  }
}

async function measureMarginals(context: CaseContext, conformancePath: WithForm, data: KnownMarginals): Promise<void> {
  const { path, form } = conformancePath;
  const inputs = drawPoints(context, conformancePath, data);
  const density = data.density();
  const formula: NamedFormula = ({ t, x }) => ({
    logDensity: density.logDensity(path, t, x),
    field: density.field(path, t, x),
    score: density.score(path, t, x),
  });
  const got = await evaluate(context, formula, inputs);
  const sizes = sensitivity(formula, inputs);
  const exact = Array.from(inputs.t.data, (t, row) =>
    data.values(form(t), [inputs.x.data[2 * row], inputs.x.data[2 * row + 1]]),
  );
  for (const name of ['logDensity', 'field', 'score'] as const) {
    const expected = exact.flatMap((values) => values[name]);
    const terms = sizes[name].map((size, i) => size + termsOf(form(timeOf(inputs, i, name)))[name]);
    compare(context, name, got[name], expected, conditioned(terms), (i) => describePoint(inputs, i, name));
  }
}

/** Sizes of the averaged terms, for data and noise of size one; they may cancel. */
const termsOf = ({ std, scaleRate, stdRate }: ClosedForm) => ({
  logDensity: 1,
  field: Math.abs(scaleRate) + Math.abs(stdRate),
  score: 1 / std,
});

type Points = ReturnType<typeof drawPoints>;

const timeOf = ({ t }: Points, i: number, name: string): number =>
  t.data[name === 'logDensity' ? i : Math.floor(i / 2)];

const describePoint = ({ t, x }: Points, i: number, name: string): string => {
  const row = name === 'logDensity' ? i : Math.floor(i / 2);
  return `t = ${t.data[row]}, x = [${x.data[2 * row]}, ${x.data[2 * row + 1]}]`;
};

/** Times and points drawn from p_t. */
function drawPoints({ random }: CaseContext, { path, form }: WithForm, { draw, until }: KnownMarginals) {
  const shares = [2 ** -6, 0.25, 0.5, 0.75, 0.9, until];
  const times = timesAt(path, shares).flatMap((t) => new Array<number>(4).fill(t));
  const data = draw(random, times.length);
  const noise = random.normal([times.length, 2]).data;
  const x = Array.from(noise, (epsilon, i) => {
    const { scale, std } = form(times[Math.floor(i / 2)]);
    return scale * data[i] + std * epsilon;
  });
  return { t: floats(times), x: floats(x, [times.length, 2]) };
}

function motionOf({ path }: ConformancePath, data: KnownMarginals) {
  const density = data.density();
  return {
    logDensity: (t: Tensor, x: Tensor) => density.logDensity(path, t, x),
    field: (t: Tensor, x: Tensor) => density.field(path, t, x),
  };
}
