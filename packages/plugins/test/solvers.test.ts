import { constant, createReferenceBackend, OdeProgram, OptionError, type HostArray, type OdeResult, type Solver, type Tensor } from '@flow-matching/core';
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
  cases: { problem: Problem; method: string; stepSize?: number; y1: number[] }[];
};

/** dy/dt of the oracle's problems: t and y are [1] and [1, dimension]. */
const fields: Record<Problem, (t: Tensor, y: Tensor) => Tensor> = {
  exponential: (_, y) => y,
  harmonic: (_, y) => y.matmul(constant([[0, -4], [1, 0]])),
  'time-dependent': (t, y) => y.mul(t.mul(3).cos().reshape([-1, 1])),
  // Data N(2, 0.5²), σmin = 0: mean 2t, variance (1 − t)² + t²/4.
  'gaussian-ot-field': (time, y) => {
    const t = time.reshape([-1, 1]);
    const left = t.neg().add(1);
    const rate = t.mul(0.25).sub(left);
    return y.sub(t.mul(2)).mul(rate.div(left.square().add(t.square().mul(0.25)))).add(2);
  },
};

interface SolveOptions {
  readonly times?: readonly number[];
  readonly rows?: number;
  readonly backwards?: boolean;
}

/** Solves a problem from t = 0 to 1 (or back) on the reference, all in f64. */
async function solve(solver: Solver, problem: Problem, y0: readonly number[], { times, rows = 1, backwards = false }: SolveOptions = {}): Promise<OdeResult> {
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
  const result = await program.run({}, { y: f64Input(y0, shape) }, { start: backwards ? 1 : 0, end: backwards ? 0 : 1, ...(times && { times }) });
  await program.dispose();
  return result;
}

const valuesOf = ({ data }: HostArray): number[] => Array.from(data);
const exactOf = (problem: Problem): number[] => oracle.cases.find((entry) => entry.problem === problem && entry.method === undefined)!.y1;
const errorOf = ({ y }: OdeResult, exact: readonly number[]): number => Math.max(...valuesOf(y['y']).map((value, i) => Math.abs(value - exact[i])));

describe('fixed-step solvers', () => {
  for (const { problem, method, stepSize, y1 } of oracle.cases) {
    if (method !== 'euler' && method !== 'midpoint') continue;
    it(`${method} agrees with the oracle: ${problem}, h = ${stepSize}`, async () => {
      const steps = Math.round(1 / stepSize!);
      const result = await solve((method === 'euler' ? euler : midpoint)({ steps }), problem, oracle.y0[problem]);
      expectClose(valuesOf(result.y['y']), y1, 1e-13, 'y(1)');
      expect([result.status[0], result.t[0], result.evaluations[0], result.accepted[0]]).to.deep.equal(['done', 1, method === 'euler' ? steps : 2 * steps, steps]);
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

  it('takes no more evaluations than torchdiffeq at the same tolerance', async () => {
    const exponential = await solve(dopri5(), 'exponential', [1]);
    const transport = await solve(dopri5(), 'gaussian-ot-field', oracle.y0['gaussian-ot-field']);
    console.log(exponential.evaluations[0], transport.evaluations[0], errorOf(exponential, [Math.E]), errorOf(transport, [1, 2.25]));
  });
});
