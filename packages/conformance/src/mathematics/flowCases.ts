import { marginalScore, type Path } from '@flow-matching/core';
import { hostArray, type Tensor } from '@flow-matching/tensor';
import { gaussianMixture } from '@flow-matching/plugins';
import type { CaseContext, ConformanceCase } from '../case/conformanceCase.ts';
import { claim } from '../case/conformanceError.ts';
import { bounded } from '../case/limit.ts';
import { compare } from './compare.ts';
import type { ConformancePath } from './conformancePaths.ts';
import { conditioned } from './conditioned.ts';
import { measureContinuity } from './continuityEquation.ts';
import { evaluate, floats, type NamedFormula } from './evaluate.ts';
import { exactFlow, exactTolerance } from './exactFlow.ts';
import { gaussianMarginal, gaussianTransport } from './gaussianMarginal.ts';
import { drawMixture, mixtureAt, mixtureData, mixtureLogDensity, mixtureMoments } from './mixture.ts';
import { drawRows, innerShares, timesAt, trialOf } from './pathSamples.ts';
import { sampleMoments } from './sampleMoments.ts';
import { sensitivity } from './sensitivity.ts';

/** Cases for the exact flows of known data along a one-sided path, through the drivers. */
export function flowCases(conformancePath: ConformancePath): readonly ConformanceCase[] {
  const { label, path, form, forgets } = conformancePath;
  if (path.sides === 'two') return [];
  const each = (name: string, claimed: string, run: (context: CaseContext) => Promise<void>): ConformanceCase => ({
    id: `L4/${label}/${name}`,
    level: 4,
    dtype: 'f32',
    claim: claimed,
    run,
  });
  return [
    each('Gaussian/score', 'the score from the velocity is that of the marginal, times σ²', (context) =>
      measureScore(context, path),
    ),
    each('Gaussian/flow', 'the exact field carries points of the prior where the affine flow does', (context) =>
      measureFlow(context, path),
    ),
    each('Gaussian/likelihood', 'log p₁ and latent points through the exact field are the analytic ones', (context) =>
      measureLikelihood(context, path),
    ),
    ...(form
      ? [
          each('mixture/moments', 'the exact field pushes p_0 to the mean and covariance of the data', (context) =>
            measureMoments(context, { label, path, form }),
          ),
        ]
      : [
          each(
            'Gaussian/continuity',
            'p_t and u_t of Gaussian data obey the continuity equation (Theorem 1)',
            (context) => measureGaussianContinuity(context, path),
          ),
        ]),
    ...(form && forgets
      ? [
          each('mixture/likelihood', 'log p₁ of mixture data through the exact field is the analytic one', (context) =>
            measureMixtureLikelihood(context, { label, path, form }),
          ),
        ]
      : []),
  ];
}

async function measureScore(context: CaseContext, path: Path): Promise<void> {
  const { t, noise } = drawRows(trialOf(path), context.random, timesAt(path, innerShares));
  const formula: NamedFormula = ({ t: time, x }) => {
    const { field, score } = gaussianMarginal(path, time, x);
    const { scaled, std } = marginalScore(path, time, x, field);
    return { scaled, exact: score.mul(std.square()) };
  };
  const inputs = { t, x: noise };
  const { scaled, exact } = await evaluate(context, formula, inputs);
  const sizes = sensitivity(formula, inputs);
  // The score is a difference of σ·a·u and σ·a′·x, divided by a′σ − aσ′.
  const terms = sensitivity(({ t: time, x }) => {
    const { field } = gaussianMarginal(path, time, x);
    const { scaled: all } = marginalScore(path, time, x, field);
    const { scaled: part } = marginalScore(path, time, x, field.mul(0));
    return { part, rest: all.sub(part) };
  }, inputs);
  const limit = conditioned(
    sizes['scaled'].map((size, i) => size + sizes['exact'][i] + terms['part'][i] + terms['rest'][i]),
  );
  compare(context, 'σ²·∇log p', scaled, exact.data, limit);
}

/** Points with the spread of the prior, [4, 2]. */
function startsOf({ priorStd }: Path): number[] {
  const std = (d: number): number => (typeof priorStd === 'number' ? priorStd : priorStd[d]);
  return [0.3, -1.2, -2, 0.5, 1.1, 1.7, 0, -0.4].map((value, i) => Math.fround(value * std(i % 2)));
}

/** Maximum number of steps of the solves in this file; more would be the solver's fault. */
const mostSteps = 200;

/**
 * The error of accepted steps at the tolerance, absolute and relative, in the norm over `count` numbers of size up to `size`,
 * times `magnified`.
 */
const solveError = (steps: number, count: number, size: number, magnified: number): number =>
  steps * (exactTolerance * Math.sqrt(count) + 64 * 2 ** -24) * (1 + size) * magnified;

const because = (steps: number): string =>
  `${steps} steps of error ${exactTolerance} and 64 roundings, magnified as the flow stretches`;

const largestOf = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, v) => Math.max(most, Math.abs(v)), 0);

async function measureFlow(context: CaseContext, path: Path): Promise<void> {
  const { forth, worstForth } = gaussianTransport(path);
  const starts = startsOf(path);
  await using flow = await exactFlow(context.backend, path, (t, x) => gaussianMarginal(path, t, x).field);
  const { samples, acceptedSteps } = await flow.sample(4, { source: floats(starts, [4, 2]) });
  claim(acceptedSteps <= mostSteps, `The solve takes ${acceptedSteps} steps.`, { expected: `at most ${mostSteps}` });
  const expected = starts.map((value, i) => forth(value, i % 2));
  const error = solveError(acceptedSteps, 8, largestOf(starts), worstForth);
  compare(context, 'samples', samples, expected, bounded(new Float64Array(8).fill(error), because(acceptedSteps)));
}

async function measureLikelihood(context: CaseContext, path: Path): Promise<void> {
  const { back, growth, worstBack } = gaussianTransport(path);
  const points = Array.from(
    drawMixture({ weights: [1], means: [[1.5, -0.5]], stds: [0.4] }, context.random, 8),
    Math.fround,
  );
  await using flow = await exactFlow(context.backend, path, (t, x) => gaussianMarginal(path, t, x).field);
  const { latent, logLikelihood, acceptedSteps } = await flow.logLikelihood(floats(points, [8, 2]), {
    divergence: 'exact',
  });
  claim(acceptedSteps <= mostSteps, `The solve takes ${acceptedSteps} steps.`, { expected: `at most ${mostSteps}` });
  const expected = points.map((value, i) => back(value, i % 2));
  const stds = [0, 1].map((d) => (typeof path.priorStd === 'number' ? path.priorStd : path.priorStd[d]));
  // log p₁(x) = log p₀(back(x)) + log |∂ back/∂x|, with the declared prior as p₀.
  const exact = Array.from({ length: 8 }, (_, row) =>
    [0, 1].reduce((sum, d) => {
      const z = expected[2 * row + d] / stds[d];
      return sum - z ** 2 / 2 - Math.log(stds[d] * Math.sqrt(2 * Math.PI) * growth[d]);
    }, 0),
  );
  const pointError = solveError(acceptedSteps, 24, largestOf(points), worstBack);
  const limit = bounded(new Float64Array(16).fill(pointError), because(acceptedSteps));
  compare(context, 'latent points', latent, expected, limit);
  // The divergence does not depend on the point; the prior's density does, by z/std.
  const changeError = solveError(acceptedSteps, 24, largestOf(exact), 1);
  const bounds = exact.map(
    (_, row) =>
      changeError + [0, 1].reduce((sum, d) => sum + (Math.abs(expected[2 * row + d]) / stds[d] ** 2) * pointError, 0),
  );
  const scores = { data: logLikelihood, shape: [8], dtype: 'f32' as const };
  compare(
    context,
    'log p₁',
    scores,
    exact,
    bounded(bounds, `${because(acceptedSteps)}, in the density of the latent point`),
  );
}

async function measureGaussianContinuity(context: CaseContext, path: Path): Promise<void> {
  const { t, noise } = drawRows(trialOf(path), context.random, timesAt(path, innerShares));
  const motion = {
    logDensity: (time: Tensor, x: Tensor) => gaussianMarginal(path, time, x).logDensity,
    field: (time: Tensor, x: Tensor) => gaussianMarginal(path, time, x).field,
  };
  await measureContinuity(context, motion, { t, x: noise });
}

type WithForm = ConformancePath & Required<Pick<ConformancePath, 'form'>>;

const sampleCount = 2048;

/** Starts from exact draws of p_0, so that the difference between p_0 and the prior does not matter. */
async function measureMoments(context: CaseContext, { path, form }: WithForm): Promise<void> {
  const [first, last] = [path.interval.start, path.interval.end].map(form);
  const { random } = context;
  const noise = random.normal([sampleCount, 2]).data;
  const source = Array.from(
    drawMixture(mixtureData, random, sampleCount),
    (value, i) => first.scale * value + first.std * noise[i],
  );
  const density = gaussianMixture(mixtureData);
  await using flow = await exactFlow(context.backend, path, (t, x) => density.field(path, t, x));
  const { samples, acceptedSteps } = await flow.sample(sampleCount, { source: floats(source, [sampleCount, 2]) });
  const { means, errors } = sampleMoments(samples.data);
  // Solver errors of all samples together, in the second moments of data of size 2.
  const solver = 4 * acceptedSteps * exactTolerance;
  compare(
    context,
    'means, variances and covariance',
    { data: means, shape: [5], dtype: 'f32' },
    mixtureMoments(mixtureAt(mixtureData, last)),
    bounded(
      errors.map((error) => 6 * error + solver),
      `6 standard errors, false alarms 1e-8, and ${acceptedSteps} steps of error ${exactTolerance}`,
    ),
  );
}

async function measureMixtureLikelihood(context: CaseContext, { path, form }: WithForm): Promise<void> {
  const points = Array.from(drawMixture(mixtureData, context.random, 8), Math.fround);
  const density = gaussianMixture(mixtureData);
  await using flow = await exactFlow(context.backend, path, (t, x) => density.field(path, t, x));
  const { logLikelihood, acceptedSteps } = await flow.logLikelihood(hostArray(points, [8, 2]), { divergence: 'exact' });
  const exact = mixtureLogDensity(mixtureAt(mixtureData, form(path.interval.end)), points);
  const scores = { data: logLikelihood, shape: [8], dtype: 'f32' as const };
  // Distances grow by at most the ratio of the prior's std and the narrowest component's.
  const error = solveError(acceptedSteps, 24, Math.max(largestOf(exact), largestOf(points)), 1 / 0.3);
  compare(context, 'log p₁', scores, exact, bounded(new Float64Array(8).fill(error), because(acceptedSteps)));
}
