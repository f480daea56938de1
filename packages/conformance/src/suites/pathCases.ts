import {
  checkPath,
  conditionalField,
  conditionalFlow,
  conditionalLogDensity,
  conditionalScore,
  derivedField,
  pathMoments,
  timeAgainst,
  type Path,
} from '@flow-matching/core';
import { expand, FlowMatchingError, jvp, onesLike, sizeOf, vjp, type Shape } from '@flow-matching/tensor';
import { dopri5 } from '@flow-matching/plugins';
import type { CaseContext, ConformanceCase } from '../case/conformanceCase.ts';
import { claim, ConformanceError } from '../case/conformanceError.ts';
import { bounded } from '../case/limit.ts';
import { atomsField, atomsFlow, atomsLogDensity, atomCount, drawAtoms } from '../mathematics/atoms.ts';
import { compare } from '../mathematics/compare.ts';
import { conditioned } from '../mathematics/conditioned.ts';
import { measureContinuity } from '../mathematics/continuityEquation.ts';
import { evaluate, evaluateInDouble, floats, type NamedFormula } from '../mathematics/evaluate.ts';
import { measureGradientTheorem } from '../mathematics/gradientTheorem.ts';
import {
  describeElement,
  drawRows,
  edgeShares,
  endpointsOf,
  innerShares,
  isNoiseless,
  outerShares,
  timesAt,
  trialOf,
  valuesAt,
  type PathTrial,
} from '../mathematics/pathSamples.ts';
import { ratesByDifferences } from '../mathematics/rates.ts';
import { sensitivity } from '../mathematics/sensitivity.ts';
import { solveOnce } from '../mathematics/solve.ts';

export interface PathCaseOptions {
  /** The label in ids. Default: the path's name. */
  readonly label?: string;
  /** Shape of one data point. Default: that of the standard deviation, or two coordinates. */
  readonly shape?: Shape;
  /** Typical size of a coordinate of the data. Default 1. */
  readonly dataScale?: number;
}

/**
 * The checks that every path must pass, for any formulas: level 4 with the ids `L4/<label>/…`.
 *
 *     const report = await runConformance(() => createReferenceBackend(), { cases: pathCases(myPath) })
 */
export function pathCases(
  path: Path,
  { label = path.name, ...options }: PathCaseOptions = {},
): readonly ConformanceCase[] {
  const noiseless = isNoiseless(path, trialOf(path, options).shape);
  const each = (
    name: string,
    claimed: string,
    run: (context: CaseContext, trial: PathTrial) => Promise<void>,
  ): ConformanceCase => ({
    id: `L4/${label}/${name}`,
    level: 4,
    dtype: 'f32',
    claim: claimed,
    run: (context) => run(context, trialOf(path, options)),
  });
  const always = [
    each('ends', 'starts at its prior or source and ends concentrated on the data; 0 ≤ start < end ≤ 1', checkEnds),
    each(
      'formulas',
      'mean, std, their rates and the field are finite from end to end, std > 0 between',
      measureFormulas,
    ),
    each('target', 'the training target is the rate of ψ_t and the field there (equations 13, 14)', measureTarget),
  ];
  const rates = each('rates', 'mean and std move at the rates that differences show, near both ends too', measureRates);
  // Without noise, Theorem 3 divides 0 by 0, and only a given field has values.
  if (noiseless && !path.field) return [...always, rates];
  const withField = [
    ...always,
    rates,
    each('field', 'the field follows from mean and std (Theorem 3)', measureField),
    each('transport', 'integrating the field carries ψ_t along', measureTransport),
  ];
  if (noiseless) return withField;
  return [
    ...withField,
    each('score', 'score and log-density are those of N(μ, σ²)', measureScore),
    each('continuity', 'p_t and u_t of a few data points obey the continuity equation (Theorem 1)', measureAtoms),
    each('gradients', 'gradients of FM and CFM agree on a few data points (Theorem 2)', measureGradients),
  ];
}

async function checkEnds(_: CaseContext, { path, ...options }: PathTrial): Promise<void> {
  try {
    checkPath(path, options);
  } catch (cause) {
    if (cause instanceof FlowMatchingError) throw new ConformanceError(cause.message, { cause });
    throw cause;
  }
}

/** Compares the formulas on the backend with f64, at both ends and close to them. */
async function measureFormulas(context: CaseContext, trial: PathTrial): Promise<void> {
  const { path } = trial;
  const { noise: _, ...inputs } = drawRows(trial, context.random, timesAt(path, outerShares));
  const formula: NamedFormula = ({ t, ...z }) => {
    const moments = pathMoments(path, timeAgainst(t, z['x1']), endpointsOf(z));
    return Object.fromEntries(Object.entries(moments).map(([name, value]) => [name, expand(value, z['x1'].shape)]));
  };
  const got = await evaluate(context, formula, inputs);
  const expected = evaluateInDouble(formula, inputs);
  const sizes = sensitivity(formula, inputs);
  for (const [name, { data }] of Object.entries(expected)) {
    const broken = data.findIndex((value) => !Number.isFinite(value));
    claim(broken < 0, `The ${name} is ${data[broken]} at ${describeElement(inputs)(broken)}.`, {
      expected: 'a number',
    });
    // The terms of a rate may be as large as the value, and cancel.
    const value = sizes[name.replace('Rate', '')];
    const size = name.endsWith('Rate') ? sizes[name].map((own, i) => own + value[i]) : value;
    compare(context, name, got[name], data, conditioned(size), describeElement(inputs));
  }
  await checkFieldFinite(context, trial);
  if (isNoiseless(path, trial.shape)) return;
  const width = sizeOf(trial.shape);
  const bad = got['std'].data.findIndex((std, i) => isInside(path, inputs.t.data[Math.floor(i / width)]) && !(std > 0));
  claim(bad < 0, `The std is ${got['std'].data[bad]} at ${describeElement(inputs)(bad)}.`, {
    expected: 'a std above 0',
  });
}

/** The interval is usable: drivers may evaluate the field at both of its ends. */
async function checkFieldFinite(context: CaseContext, trial: PathTrial): Promise<void> {
  const { path } = trial;
  if (!path.field && isNoiseless(path, trial.shape)) return;
  const inputs = drawRows(trial, context.random, timesAt(path, outerShares));
  const { field } = await evaluate(
    context,
    ({ t, noise, ...z }) => {
      const ends = endpointsOf(z);
      return { field: conditionalField(path, t, conditionalFlow(path, t, ends, noise).x, ends) };
    },
    inputs,
  );
  const broken = field.data.findIndex((value) => !Number.isFinite(value));
  claim(broken < 0, `The field is ${field.data[broken]} at ${describeElement(inputs)(broken)}.`, {
    expected: 'a number',
  });
}

const isInside = ({ interval: { start, end } }: Path, t: number): boolean => t > start && t < end;

/**
 * Compares the rates of mean and std, the training target and a given field, at times 2⁻⁸ and 2⁻¹² from the interval's ends,
 * with differences in f64 whose step is a small fraction of that distance.
 */
async function measureRates(context: CaseContext, trial: PathTrial): Promise<void> {
  const { path } = trial;
  const [start, end] = timesAt(path, [0, 1]);
  for (const share of edgeShares) {
    const inputs = drawRows(trial, context.random, timesAt(path, [share, share]));
    const [t] = inputs.t.data;
    const { meanRate, stdRate } = ratesByDifferences(path, inputs, Math.min(t - start, end - t) * 2 ** -5);
    const { mean, std } = valuesAt(path, inputs);
    const hasNoise = !isNoiseless(path, trial.shape);
    const { noise } = inputs;
    // Rounded, so that the field is at the point that every backend gets: its rounding error is divided by the std.
    const x = floats(
      Array.from(mean, (value, i) => value + std[i] * noise.data[i]),
      noise.shape,
    );
    const exact = {
      meanRate,
      stdRate,
      target: meanRate.map((rate, i) => rate + stdRate[i] * noise.data[i]),
      field: meanRate.map((rate, i) => rate + (hasNoise ? (stdRate[i] / std[i]) * (x.data[i] - mean[i]) : 0)),
    };
    const formula: NamedFormula = ({ t: time, noise: epsilon, x: point, ...z }) => {
      const ends = endpointsOf(z);
      const moments = pathMoments(path, timeAgainst(time, z['x1']), ends);
      const { x: value, velocity: target } = conditionalFlow(path, time, ends, epsilon);
      return {
        meanRate: expand(moments.meanRate, z['x1'].shape),
        stdRate: expand(moments.stdRate, z['x1'].shape),
        target,
        ...(path.field && { field: conditionalField(path, time, point, ends) }),
        mean: expand(moments.mean, z['x1'].shape),
        std: expand(moments.std, z['x1'].shape),
        value,
      };
    };
    const given = { ...inputs, x };
    const got = await evaluate(context, formula, given);
    const sizes = sensitivity(formula, given);
    // The terms of a rate may be as large as the quantity itself, and cancel.
    const values = { meanRate: 'mean', stdRate: 'std', target: 'value', field: 'value' } as const;
    for (const [name, value] of Object.entries(values)) {
      if (!(name in got)) continue;
      const terms = sizes[name].map((size, i) => size + sizes[value][i]);
      const what = `the ${name} at share ${share}`;
      compare(context, what, got[name], exact[name as keyof typeof exact], conditioned(terms), describeElement(given));
    }
  }
}

/** Compares the field at points off the conditional flow with (σ′/σ)(x − μ) + μ′, with rates by differences in f64. */
async function measureField(context: CaseContext, trial: PathTrial): Promise<void> {
  const { path } = trial;
  const { noise, ...rows } = drawRows(trial, context.random, timesAt(path, innerShares));
  const { mean, std } = valuesAt(path, rows);
  const { meanRate, stdRate } = ratesByDifferences(path, rows);
  const hasNoise = !isNoiseless(path, trial.shape);
  const x = floats(
    Array.from(mean, (value, i) => value + 2 * std[i] * noise.data[i]),
    noise.shape,
  );
  const exact = Array.from(
    meanRate,
    (rate, i) => (hasNoise ? (stdRate[i] / std[i]) * (x.data[i] - mean[i]) : 0) + rate,
  );
  const inputs = { ...rows, x };
  const formula: NamedFormula = ({ t, x: point, ...z }) => ({
    ...(hasNoise && { derived: derivedField(path, t, point, endpointsOf(z)) }),
    ...(path.field && { written: conditionalField(path, t, point, endpointsOf(z)) }),
  });
  const got = await evaluate(context, formula, inputs);
  const sizes = sensitivity(formula, inputs);
  for (const [name, field] of Object.entries(got))
    compare(context, `the ${name} field`, field, exact, conditioned(sizes[name]), describeElement(inputs));
}

/** Compares three computations of the velocity of ψ_t(noise) with μ′ + σ′·noise, with rates by differences in f64. */
async function measureTarget(context: CaseContext, trial: PathTrial): Promise<void> {
  const { path } = trial;
  const inputs = drawRows(trial, context.random, timesAt(path, innerShares));
  const { meanRate, stdRate } = ratesByDifferences(path, inputs);
  const exact = Array.from(meanRate, (rate, i) => rate + stdRate[i] * inputs.noise.data[i]);
  const divides = !path.field && isNoiseless(path, trial.shape);
  const formula: NamedFormula = ({ t, noise, ...z }) => {
    const { x, velocity } = conditionalFlow(path, t, endpointsOf(z), noise);
    const moved = jvp((time) => [conditionalFlow(path, time, endpointsOf(z), noise).x], [t], [onesLike(t)]);
    return {
      'the training target': velocity,
      'the derivative of ψ_t': moved.tangents[0],
      ...(!divides && { 'the field at ψ_t': conditionalField(path, t, x, endpointsOf(z)) }),
    };
  };
  const got = await evaluate(context, formula, inputs);
  const sizes = sensitivity(formula, inputs);
  for (const [name, velocity] of Object.entries(got))
    compare(context, name, velocity, exact, conditioned(sizes[name]), describeElement(inputs));
}

const tolerance = 1e-5;

/** From 1/64 to 15/16 of the interval: beyond that, the field of most paths contracts so fast that every solver's steps vanish. */
async function measureTransport(context: CaseContext, trial: PathTrial): Promise<void> {
  const { path } = trial;
  const shares = Array.from({ length: 16 }, (_, i) => 1 / 64 + (i / 15) * (15 / 16 - 1 / 64));
  const [start, end] = timesAt(path, [shares[0], shares[15]]);
  const count = 6;
  const at = (share: number) => new Array<number>(count).fill(share);
  const { t, noise, ...z } = drawRows(trial, context.random, timesAt(path, at(shares[0])));
  const values = timesAt(path, shares).map((time) =>
    valuesAt(path, { t: { ...t, data: t.data.map(() => time) }, ...z }),
  );
  const flowAt = (k: number): number[] =>
    Array.from(values[k].mean, (mean, i) => mean + values[k].std[i] * noise.data[i]);
  const from = floats(flowAt(0), noise.shape);
  const expected = flowAt(15).map(
    // The start is rounded to f32, and the flow propagates the rounding error.
    (value, i) => value + (from.data[i] - flowAt(0)[i]) * ratio(values[15].std[i], values[0].std[i]),
  );
  const result = await solveOnce(
    context.backend,
    dopri5({ rtol: tolerance, atol: tolerance }),
    (time, x, given) => conditionalField(path, time, x, endpointsOf(given)),
    from,
    { start, end },
    z,
  );
  claim(
    result.status.every((status) => status === 'done'),
    `The solve ended with ${result.status.join(', ')}.`,
  );
  const steps = result.accepted[0];
  const largest = values.reduce(
    (most, { mean, std }) => mean.reduce((m, v, i) => Math.max(m, Math.abs(v) + 3 * std[i]), most),
    0,
  );
  const bounds = expected.map((_, i) => {
    const magnified = Math.max(...values.map(({ std }) => ratio(values[15].std[i], std[i])));
    return steps * tolerance * (1 + largest) * Math.sqrt(expected.length) * magnified;
  });
  compare(
    context,
    `ψ_t at t = ${end}`,
    result.end,
    expected,
    bounded(
      bounds,
      `${steps} steps of error ${tolerance}, in the norm over the batch, magnified as the path's std grows`,
    ),
  );
}

/** How a flow magnifies distances between two times; lines without noise keep them. */
const ratio = (after: number, before: number): number => (before === 0 ? 1 : after / before);

async function measureScore(context: CaseContext, trial: PathTrial): Promise<void> {
  const { path } = trial;
  const { noise, ...rows } = drawRows(trial, context.random, timesAt(path, innerShares));
  const { mean, std } = valuesAt(path, rows);
  const x = floats(
    Array.from(mean, (value, i) => value + std[i] * noise.data[i]),
    noise.shape,
  );
  const standardized = Array.from(x.data, (value, i) => (value - mean[i]) / std[i]);
  const inputs = { ...rows, x };
  const formula: NamedFormula = ({ t, x: point, ...z }) => {
    const { outputs, pullback } = vjp((at) => [conditionalLogDensity(path, t, at, endpointsOf(z))], [point]);
    return {
      score: conditionalScore(path, t, point, endpointsOf(z)),
      'the gradient of the log-density': pullback([onesLike(outputs[0])])[0],
      'the log-density': outputs[0],
    };
  };
  const got = await evaluate(context, formula, inputs);
  const sizes = sensitivity(formula, inputs);
  const score = standardized.map((value, i) => -value / std[i]);
  const width = sizeOf(trial.shape);
  const logDensity = Array.from({ length: rows.t.data.length }, (_, row) =>
    standardized
      .slice(row * width, (row + 1) * width)
      .reduce((sum, value, i) => sum - value ** 2 / 2 - Math.log(std[row * width + i] * Math.sqrt(2 * Math.PI)), 0),
  );
  for (const [name, actual] of Object.entries(got)) {
    const expected = name === 'the log-density' ? logDensity : score;
    compare(context, name, actual, expected, conditioned(sizes[name]), describeElement(inputs));
  }
}

/** Points drawn from p_t itself, so that densities neither vanish nor select a single atom. */
async function measureAtoms(context: CaseContext, trial: PathTrial): Promise<void> {
  const { path } = trial;
  const times = timesAt(path, innerShares).flatMap((time) => [time, time, time]);
  const { t, noise } = drawRows(trial, context.random, times);
  const atoms = drawAtoms(trial, context.random, times.length);
  const turn = floats(times.map((_, i) => i % atomCount));
  const { x } = evaluateInDouble(
    ({ t: time, noise: epsilon, turn: mine, ...given }) => ({
      x: atomsFlow(path, time, epsilon, given, mine).x,
    }),
    { t, noise, turn, ...atoms },
  );
  await measureContinuity(
    context,
    {
      logDensity: (time, point, given) => atomsLogDensity(path, time, point, given),
      field: (time, point, given) => atomsField(path, time, point, given),
    },
    { t, x: floats(Array.from(x.data, Number), x.shape), ...atoms },
  );
}

async function measureGradients(context: CaseContext, trial: PathTrial): Promise<void> {
  const { path } = trial;
  await measureGradientTheorem(context, trial, {
    draw: (count) => ({
      ...drawAtoms(trial, context.random, count),
      turn: floats(Array.from({ length: count }, (_, i) => i % atomCount)),
    }),
    flow: (t, noise, given) => atomsFlow(path, t, noise, given, given['turn']),
    field: (t, x, given) => atomsField(path, t, x, given),
  });
}
