import {
  constant,
  createReferenceBackend,
  explicitRungeKutta,
  OdeProgram,
  OptionError,
  type ButcherTableau,
  type HostArray,
  type OdeResult,
  type Solver,
  type Tensor,
} from '@flow-matching/core';
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { dopri5, euler, midpoint } from '../src/index.ts';
import { dopri5Tableau } from '../src/solvers/dopri5.ts';
import { eulerTableau } from '../src/solvers/euler.ts';
import { midpointTableau } from '../src/solvers/midpoint.ts';
import { f64Input } from './support/evaluate.ts';
import { expectClose } from './support/expectClose.ts';

type Problem = 'exponential' | 'harmonic' | 'time-dependent' | 'gaussian-ot-field';
const oracle = JSON.parse(readFileSync(new URL('../../../test/oracles/solvers.json', import.meta.url), 'utf8')) as {
  y0: Record<Problem, number[]>;
  cases: { problem: Problem; method: string; stepSize?: number; y1: number[]; exact?: number[] }[];
};

/** dy/dt of the oracle's problems: t and y are [1] and [1, dimension]. */
const fields: Record<Problem, (t: Tensor, y: Tensor) => Tensor> = {
  exponential: (_, y) => y,
  harmonic: (_, y) =>
    y.matmul(
      constant([
        [0, -4],
        [1, 0],
      ]),
    ),
  'time-dependent': (t, y) => y.mul(t.mul(3).cos().reshape([-1, 1])),
  // Data N(2, 0.5²), σmin = 0: mean 2t, variance (1 − t)² + t²/4.
  'gaussian-ot-field': (time, y) => {
    const t = time.reshape([-1, 1]);
    const left = t.neg().add(1);
    const rate = t.mul(0.25).sub(left);
    return y
      .sub(t.mul(2))
      .mul(rate.div(left.square().add(t.square().mul(0.25))))
      .add(2);
  },
};

interface SolveOptions {
  readonly times?: readonly number[];
  readonly rows?: number;
  readonly backwards?: boolean;
}

/** Solves a problem from t = 0 to 1 (or back) on the reference, all in f64. */
async function solve(
  solver: Solver,
  problem: Problem,
  y0: readonly number[],
  { times, rows = 1, backwards = false }: SolveOptions = {},
): Promise<OdeResult> {
  await using backend = createReferenceBackend();
  const shape = [rows, y0.length / rows];
  const program = await OdeProgram.compile(backend, solver, {
    rows,
    arrays: {},
    inputs: { y: { shape, dtype: 'f32' } },
    begin: ({ y }) => ({ y: { y } }),
    field: (t, { y }) => ({ y: fields[problem](t, y) }),
    keptTimes: times?.length ?? 0,
  });
  const result = await program.run(
    {},
    { y: f64Input(y0, shape) },
    { start: backwards ? 1 : 0, end: backwards ? 0 : 1, ...(times && { times }) },
  );
  await program.dispose();
  return result;
}

const valuesOf = ({ data }: HostArray): number[] => Array.from(data);
const exactOf = (problem: Problem): number[] =>
  oracle.cases.find((entry) => entry.problem === problem && entry.exact)!.exact!;
const errorOf = ({ y }: OdeResult, exact: readonly number[]): number =>
  Math.max(...valuesOf(y['y']).map((value, i) => Math.abs(value - exact[i])));

describe('fixed-step solvers', () => {
  for (const { problem, method, stepSize, y1 } of oracle.cases) {
    if (method !== 'euler' && method !== 'midpoint') continue;
    it(`${method} agrees with the oracle: ${problem}, h = ${stepSize}`, async () => {
      const steps = Math.round(1 / stepSize!);
      const result = await solve((method === 'euler' ? euler : midpoint)({ steps }), problem, oracle.y0[problem]);
      expectClose(valuesOf(result.y['y']), y1, 1e-13, 'y(1)');
      expect([result.status[0], result.t[0], result.evaluations[0], result.accepted[0]]).to.deep.equal([
        'done',
        1,
        method === 'euler' ? steps : 2 * steps,
        steps,
      ]);
    });
  }

  it('step between the fractions of a grid', async () => {
    const grid = [0, 0.5, 0.75, 1];
    const result = await solve(euler({ grid }), 'exponential', [1]);
    expectClose(valuesOf(result.y['y']), [1.5 * 1.25 * 1.25], 1e-14);
    expect(result.accepted[0]).to.equal(3);
    expect(() => euler({ steps: 2, grid })).to.throw(OptionError, 'grid');
    expect(() => midpoint({ grid: [0, 0.7, 0.5, 1] })).to.throw(OptionError, 'grid');
    expect(() => euler({ steps: 0 })).to.throw(OptionError, 'steps');
  });
});

describe('dopri5', () => {
  for (const problem of Object.keys(fields) as Problem[]) {
    it(`meets its tolerance: ${problem}`, async () => {
      for (const tolerance of [1e-3, 1e-5, 1e-8]) {
        const result = await solve(dopri5({ rtol: tolerance, atol: tolerance }), problem, oracle.y0[problem]);
        expect(result.status).to.deep.equal(['done']);
        expect(result.t[0]).to.equal(1);
        expect(errorOf(result, exactOf(problem)), `error at tolerance ${tolerance}`).below(5 * tolerance);
      }
    });
  }

  it('counts its evaluations: two to start, six a step', async () => {
    for (const problem of Object.keys(fields) as Problem[]) {
      const { evaluations, accepted, rejected } = await solve(dopri5(), problem, oracle.y0[problem]);
      expect(evaluations[0], problem).to.equal(2 + 6 * (accepted[0] + rejected[0]));
    }
    // torchdiffeq takes 20 and 38, but steps past the end and interpolates back.
    expect((await solve(dopri5(), 'exponential', [1])).evaluations[0]).most(26);
    expect((await solve(dopri5(), 'gaussian-ot-field', oracle.y0['gaussian-ot-field'])).evaluations[0]).most(44);
  });

  it('runs backwards', async () => {
    const result = await solve(dopri5({ rtol: 1e-8, atol: 1e-8 }), 'gaussian-ot-field', exactOf('gaussian-ot-field'), {
      backwards: true,
    });
    expect(result.t[0]).to.equal(0);
    expect(errorOf(result, oracle.y0['gaussian-ot-field'])).below(1e-7);
  });

  it('keeps trajectories as accurate as its steps', async () => {
    const times = [0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1];
    const { kept } = await solve(dopri5({ rtol: 1e-6, atol: 1e-6 }), 'harmonic', [1, 0], { times });
    expectClose(
      valuesOf(kept!['y']),
      times.flatMap((t) => [Math.cos(2 * t), -2 * Math.sin(2 * t)]),
      2e-5,
      'trajectory',
    );
  });

  it('gives each sample the result it would have alone where steps are per sample', async () => {
    const start = [-2, 0.5, 40];
    const together = await solve(dopri5({ perSample: true }), 'gaussian-ot-field', start, { rows: 3 });
    expect(new Set(together.accepted).size, 'step counts differ').above(1);
    for (const [i, y0] of start.entries()) {
      const alone = await solve(dopri5({ perSample: true }), 'gaussian-ot-field', [y0]);
      expectClose([together.y['y'].data[i]], valuesOf(alone.y['y']), 1e-14);
      expect(together.accepted[i]).to.equal(alone.accepted[0]);
    }
  });

  it('stops at maxSteps with the state it has reached', async () => {
    const result = await solve(dopri5({ maxSteps: 2 }), 'harmonic', [1, 0]);
    expect(result.status).to.deep.equal(['maxSteps']);
    expect(result.t[0]).within(0.01, 0.9);
    expectClose(valuesOf(result.y['y']), [Math.cos(2 * result.t[0]), -2 * Math.sin(2 * result.t[0])], 1e-4);
  });

  it('refuses options that make no sense', () => {
    expect(() => dopri5({ rtol: -1 })).to.throw(OptionError, 'rtol');
    expect(() => dopri5({ rtol: 0, atol: 0 })).to.throw(OptionError, 'atol');
    expect(() => dopri5({ steps: 10 } as never)).to.throw(OptionError, 'steps');
  });
});

/** Left sides of the order conditions on weights b, by the number of nodes of their trees, each with its right side at θ (Hairer, Nørsett & Wanner, II.2). */
function orderConditions(
  { nodes: c, stages: a }: ButcherTableau,
  b: readonly number[],
  theta: number,
): { order: number; error: number }[] {
  const sum = (terms: readonly number[]): number => terms.reduce((total, term) => total + term, 0);
  const dot = (weights: readonly number[], values: readonly number[]): number =>
    sum(weights.map((weight, i) => weight * values[i]));
  const through = (values: readonly number[]): number[] => a.map((row) => dot(row, values));
  const power = (k: number): number[] => c.map((value) => value ** k);
  const times = (x: readonly number[], y: readonly number[]): number[] => x.map((value, i) => value * y[i]);
  const trees: [order: number, density: number, values: number[]][] = [
    [1, 1, power(0)],
    [2, 2, power(1)],
    [3, 3, power(2)],
    [3, 6, through(c)],
    [4, 4, power(3)],
    [4, 8, times(c, through(c))],
    [4, 12, through(power(2))],
    [4, 24, through(through(c))],
    [5, 5, power(4)],
    [5, 10, times(power(2), through(c))],
    [5, 15, times(c, through(power(2)))],
    [5, 30, times(c, through(through(c)))],
    [5, 20, times(through(c), through(c))],
    [5, 20, through(power(3))],
    [5, 40, through(times(c, through(c)))],
    [5, 60, through(through(power(2)))],
    [5, 120, through(through(through(c)))],
  ];
  return trees.map(([order, density, values]) => ({
    order,
    error: Math.abs(dot(b, values) - theta ** order / density),
  }));
}

function orderOf(tableau: ButcherTableau, b: readonly number[], theta = 1): number {
  const broken = orderConditions(tableau, b, theta).find(({ error }) => error > 1e-13);
  return broken ? broken.order - 1 : 5;
}

describe('tableaus', () => {
  it('have the orders they declare', () => {
    for (const tableau of [eulerTableau, midpointTableau, dopri5Tableau])
      expect(orderOf(tableau, tableau.weights)).to.equal(tableau.order);
  });

  it('of dopri5 estimates its error by a method of order 4', () => {
    const { weights, embedded } = dopri5Tableau;
    const lower = weights.map((weight, i) => weight - embedded!.errorWeights[i]);
    expect(orderOf(dopri5Tableau, lower)).to.equal(embedded!.order);
  });

  it('of dopri5 interpolates with order 4 everywhere in the step, smoothly into the next', () => {
    const { interpolant, weights, nodes } = dopri5Tableau;
    const at = (theta: number): number[] =>
      interpolant!.map((row) => row.reduce((sum, coefficient, i) => sum + coefficient * theta ** (i + 1), 0));
    for (const theta of [0.1, 0.25, 0.5, 0.8])
      expect(orderOf(dopri5Tableau, at(theta), theta), `θ = ${theta}`).to.equal(4);
    expectClose(at(1), weights, 1e-14, 'weights at θ = 1');
    const slope = (theta: number): number[] =>
      interpolant!.map((row) => row.reduce((sum, coefficient, i) => sum + (i + 1) * coefficient * theta ** i, 0));
    expectClose(
      slope(0),
      nodes.map((_, i) => (i === 0 ? 1 : 0)),
      1e-13,
      'slope at θ = 0',
    );
    expectClose(
      slope(1),
      nodes.map((_, i) => (i === 6 ? 1 : 0)),
      1e-13,
      'slope at θ = 1',
    );
  });

  it('of dopri5 converges with order 5', async () => {
    const { embedded: _, ...fixed } = dopri5Tableau;
    const errors: number[] = [];
    for (const steps of [4, 16])
      errors.push(
        errorOf(
          await solve(explicitRungeKutta('fixed', fixed, { steps }), 'time-dependent', [2]),
          exactOf('time-dependent'),
        ),
      );
    expect(Math.log2(errors[0] / errors[1]) / 2).within(4.7, 6);
  });
});
