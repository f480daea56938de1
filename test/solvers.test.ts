import { SolverError, type Solver } from '@flow-matching/core';
import { concat, createReferenceBackend, OptionError, type Tensor } from '@flow-matching/tensor';
import {
  adaptiveHeun,
  bosh3,
  dopri5,
  dopri8,
  euler,
  heun2,
  heun3,
  midpoint,
  rk38,
  rk4,
  timeGrid,
  tsit5,
} from '@flow-matching/plugins';
import { expect } from 'chai';
import { onEachBackend } from './support/backends.ts';
import { solve, type Field } from './support/ode.ts';
import { oracle } from './support/oracles.ts';

const column = (t: Tensor): Tensor => t.reshape([t.size, 1]);

/** The four problems of solvers.json. */
const problems: Record<string, Field> = {
  exponential: (_, y) => y,
  harmonic: (_, y) => concat([y.slice(1, 1, 2), y.slice(1, 0, 1).mul(-4)], 1),
  'time-dependent': (t, y) => y.mul(column(t).mul(3).cos()),
  // Data N(2, 0.25) under the optimal-transport path with σ_min = 0: mean 2t, variance (1 − t)² + t²/4.
  'gaussian-ot-field': (t, y) => {
    const s = column(t);
    const variance = s.neg().add(1).square().add(s.square().mul(0.25));
    const half = s.mul(1.25).sub(1);
    return half
      .div(variance)
      .mul(y.sub(s.mul(2)))
      .add(2);
  },
};

interface Case {
  readonly problem: string;
  readonly method?: string;
  readonly stepSize?: number;
  readonly y1?: number[];
  readonly exact?: number[];
}

const { y0, cases } = oracle<{ y0: Record<string, number[]>; cases: Case[] }>('solvers');
const exact = (problem: string): number[] => cases.find((c) => c.problem === problem && c.exact)!.exact!;
/** Components of harmonic are one state; the other problems are one-dimensional with a row each. */
const start = (problem: string): number[][] =>
  problem === 'harmonic' ? [y0[problem]] : y0[problem].map((value) => [value]);

/** Methods by the oracle's names: its rk4 is the 3/8 rule. */
const fixed: Record<string, (options: { steps: number }) => Solver> = { euler, midpoint, heun2, heun3, rk4: rk38 };

const adaptive: Record<string, (options: { rtol: number; atol: number }) => Solver> = {
  adaptiveHeun,
  bosh3,
  dopri5,
  tsit5,
  dopri8,
};

onEachBackend('solvers against torchdiffeq', (backend, roundOff) => {
  for (const { problem, method, stepSize, y1 } of cases) {
    if (!method || !(method in fixed)) continue;
    it(`${method} with step ${stepSize} on ${problem}`, async () => {
      const { rows, status } = await solve(
        backend(),
        fixed[method]({ steps: Math.round(1 / stepSize!) }),
        problems[problem],
        start(problem),
      );
      expect(status).to.deep.equal(['done']);
      rows.flat().forEach((value, i) => expect(value).to.be.closeTo(y1![i], 40 * roundOff * (1 + Math.abs(y1![i]))));
    });
  }

  for (const [method, create] of Object.entries(adaptive)) {
    for (const problem of Object.keys(problems)) {
      it(`${method} meets its tolerance on ${problem}`, async () => {
        const { rows } = await solve(backend(), create({ rtol: 1e-5, atol: 1e-5 }), problems[problem], start(problem));
        // Errors of the steps add up over the solve, and methods of low order take many.
        const limit = method === 'adaptiveHeun' ? 5e-4 : method === 'bosh3' ? 2e-4 : 5e-5;
        rows.flat().forEach((value, i) => expect(value).to.be.closeTo(exact(problem)[i], limit));
      });
    }

    it(`${method} is more accurate at a tighter tolerance, for more evaluations`, async () => {
      const [loose, tight] = await Promise.all(
        [1e-3, 1e-5].map((tolerance) =>
          solve(backend(), create({ rtol: tolerance, atol: tolerance }), problems['gaussian-ot-field'], [[-2], [0.5]]),
        ),
      );
      const error = ({ rows }: { rows: number[][] }): number =>
        Math.max(...rows.flat().map((value, i) => Math.abs(value - exact('gaussian-ot-field')[i])));
      expect(error(tight)).to.be.lessThan(error(loose));
      expect(tight.evaluations[0]).to.be.greaterThan(loose.evaluations[0]);
    });

    it(`${method} interpolates between its steps`, async () => {
      const times = [0.13, 0.5, 0.86];
      const { keptRows } = await solve(
        backend(),
        create({ rtol: 1e-5, atol: 1e-5 }),
        problems['harmonic'],
        start('harmonic'),
        { times },
      );
      times.forEach((t, i) => {
        expect(keptRows[0][i][0]).to.be.closeTo(Math.cos(2 * t), 5e-4);
        expect(keptRows[0][i][1]).to.be.closeTo(-2 * Math.sin(2 * t), 5e-4);
      });
    });
  }

  // torchdiffeq takes 20 and 38 by stepping past the end and interpolating back; ending on the dot costs a step or two.
  it('dopri5 needs few evaluations', async () => {
    const exponential = await solve(
      backend(),
      dopri5({ rtol: 1e-5, atol: 1e-5 }),
      problems['exponential'],
      start('exponential'),
    );
    expect(exponential.evaluations[0]).to.be.at.most(32);
    const gaussian = await solve(
      backend(),
      dopri5({ rtol: 1e-5, atol: 1e-5 }),
      problems['gaussian-ot-field'],
      start('gaussian-ot-field'),
    );
    expect(gaussian.evaluations[0]).to.be.at.most(44);
    // One evaluation at the start, one for the first step size, six an attempt.
    expect(gaussian.evaluations[0]).to.equal(2 + 6 * (gaussian.accepted[0] + gaussian.rejected[0]));
  });

  it('integrates backwards to where it came from', async () => {
    const { rows } = await solve(
      backend(),
      dopri5({ rtol: 1e-6, atol: 1e-6 }),
      problems['harmonic'],
      [exact('harmonic')],
      { start: 1, end: 0 },
    );
    expect(rows[0][0]).to.be.closeTo(1, 2e-5);
    expect(rows[0][1]).to.be.closeTo(0, 2e-5);
  });

  it('never evaluates the field outside the interval, and ends exactly at its end', async () => {
    // The field turns into NaN beyond t = 1, so one evaluation there would show.
    const walled: Field = (t, y) => y.add(column(t.neg().add(1)).sqrt());
    const { rows, t } = await solve(backend(), dopri5({ rtol: 1e-4, atol: 1e-4 }), walled, [[0]]);
    expect(t[0]).to.equal(1);
    expect(rows[0][0]).to.be.greaterThan(0.9).and.lessThan(1.5);
  });

  it('keeps interpolated states between steps', async () => {
    const times = [0, 0.1, 0.25, 0.5, 0.77, 1];
    const { keptRows } = await solve(
      backend(),
      dopri5({ rtol: 1e-6, atol: 1e-6 }),
      problems['exponential'],
      [[1], [2]],
      { times },
    );
    times.forEach((t, i) => {
      expect(keptRows[0][i][0]).to.be.closeTo(Math.exp(t), 1e-5);
      expect(keptRows[1][i][0]).to.be.closeTo(2 * Math.exp(t), 2e-5);
    });
  });

  it('keeps states of a fixed-step method with its order', async () => {
    const times = [0.05, 0.4, 0.95, 1];
    const { keptRows, evaluations } = await solve(backend(), midpoint({ steps: 40 }), problems['exponential'], [[1]], {
      times,
    });
    times.forEach((t, i) => expect(keptRows[0][i][0]).to.be.closeTo(Math.exp(t), 5e-4));
    // Two stages and, as it has no interpolant of its own, one evaluation at the end of each step.
    expect(evaluations[0]).to.equal(120);
  });

  it('gives each sample its own steps, independent of the rest of the batch', async () => {
    const solver = dopri5({ rtol: 1e-5, atol: 1e-5, perSample: true });
    const stiff: Field = (_, y) => y.square().mul(-1);
    const together = await solve(backend(), solver, stiff, [[1], [50]]);
    const alone = await solve(backend(), solver, stiff, [[1]]);
    expect(together.rows[0][0]).to.be.closeTo(alone.rows[0][0], 4 * roundOff);
    expect(together.evaluations[0]).to.equal(alone.evaluations[0]);
    expect(together.evaluations[1]).to.be.greaterThan(together.evaluations[0]);
    expect(together.rows[1][0]).to.be.closeTo(50 / 51, 1e-4);
  });

  it('removes finished samples from the batch', async () => {
    // Rates from 1 to 100: most samples need few steps, some need many.
    const rows = Array.from({ length: 128 }, (_, i) => [1, i % 16 === 0 ? 100 : 1]);
    const relaxation: Field = (t, y) => {
      const [x, rate] = [y.slice(1, 0, 1), y.slice(1, 1, 2)];
      return concat([rate.mul(column(t).mul(6).sin().sub(x)), rate.mul(0)], 1);
    };
    const solver = dopri5({ rtol: 1e-5, atol: 1e-5, perSample: true });
    const together = await solve(backend(), solver, relaxation, rows, { count: 120, times: [0.5, 1] });
    const alone = await Promise.all(
      [0, 1].map((i) => solve(backend(), solver, relaxation, [rows[i]], { times: [0.5, 1] })),
    );
    together.rows.slice(0, 120).forEach((row, i) => {
      const single = alone[i % 16 === 0 ? 0 : 1];
      expect(row[0]).to.be.closeTo(single.rows[0][0], 64 * roundOff);
      expect(together.evaluations[i]).to.equal(single.evaluations[0]);
      expect(together.keptRows[i][0][0]).to.be.closeTo(single.keptRows[0][0][0], 1e-5);
      expect(together.keptRows[i][1][0]).to.equal(row[0]);
    });
    const longest = alone[0].accepted[0] + alone[0].rejected[0];
    expect(together.rowSteps).to.be.lessThan(0.8 * 128 * longest);
  });

  it('leaves padding out of norms and results alone', async () => {
    const solver = dopri5({ rtol: 1e-5, atol: 1e-5 });
    const alone = await solve(backend(), solver, problems['exponential'], [[1], [2]]);
    const padded = await solve(backend(), solver, problems['exponential'], [[1], [2], [1e6], [-3e5]], { count: 2 });
    expect(padded.rows[0][0]).to.be.closeTo(alone.rows[0][0], 16 * roundOff);
    expect(padded.evaluations[0]).to.equal(alone.evaluations[0]);
  });

  it('ends with a status at its maximum of steps, the last state kept', async () => {
    const { status, t, rows } = await solve(
      backend(),
      dopri5({ rtol: 1e-6, atol: 1e-6, maxSteps: 3 }),
      problems['harmonic'],
      start('harmonic'),
    );
    expect(status).to.deep.equal(['maxSteps']);
    expect(t[0]).to.be.greaterThan(0).and.lessThan(1);
    expect(rows[0].every(Number.isFinite)).to.equal(true);
  });

  it('names the time, step and error where a field blows up', async () => {
    const explosion: Field = (_, y) => y.square();
    const failure = await solve(backend(), dopri5({ rtol: 1e-5, atol: 1e-5 }), explosion, [[2]]).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).to.be.instanceOf(SolverError);
    const { t, lastState } = (failure as SolverError).actual as { t: number; lastState: { y: { data: number[] } } };
    // y = 2/(1 − 2t) leaves every bound at t = 1/2.
    expect(t).to.be.closeTo(0.5, 1e-3);
    expect(Number.isFinite(lastState.y.data[0])).to.equal(true);
  });

  it('is as accurate at large times as at small ones', async () => {
    // Times about 4096 are 2⁻¹¹ apart in f32: a step that is not the difference of the times it leads between is off by up to that.
    for (const offset of [0, 4096]) {
      for (const solver of [
        dopri5({ rtol: 1e-5, atol: 1e-5, maxFactor: 1.1, firstStep: 0.0371 }),
        rk4({ steps: 27 }),
      ]) {
        const { rows } = await solve(backend(), solver, problems['exponential'], [[1]], {
          start: offset,
          end: offset + 1,
        });
        expect(rows[0][0]).to.be.closeTo(Math.E, 2e-5);
      }
    }
  });

  it('refuses tolerances below what its floats resolve, and says which can be met', async () => {
    const run = async (options: { rtol: number; atol: number }): Promise<unknown> =>
      solve(backend(), dopri5({ ...options, maxSteps: 200 }), problems['exponential'], [[1]]).then(
        ({ status }) => status[0],
        (error: unknown) => error,
      );
    const least = roundOff === 2 ** -52 ? '2.2e-16' : '1.2e-7';
    for (const options of [
      { rtol: roundOff / 16, atol: 1e-5 },
      { rtol: 0, atol: roundOff / 16 },
    ]) {
      const failure = await run(options);
      expect(failure).to.be.instanceOf(OptionError);
      expect((failure as Error).message).to.include(`of ${least} or more`);
    }
    expect(await run({ rtol: 0, atol: 1e-5 })).to.equal('done');
    expect(await run({ rtol: 1e-5, atol: 0 })).to.equal('done');
    expect(await run({ rtol: 2e-7, atol: 2e-7 })).to.equal('done');
  });

  it('says that a field is not finite', async () => {
    const nowhere: Field = (t, y) => y.add(column(t.sub(0.5)).neg().sqrt());
    const failure = await solve(backend(), dopri5({ rtol: 1e-5, atol: 1e-5 }), nowhere, [[1]]).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).to.be.instanceOf(SolverError);
    expect((failure as Error).message).to.match(/^The vector field of sample 0 is not finite at t = 0\.(49|5)/);
  });

  it('stops between steps when aborted', async () => {
    const controller = new AbortController();
    let steps = 0;
    const failure = await solve(backend(), euler({ steps: 1000 }), problems['exponential'], [[1]], {
      signal: controller.signal,
      onStep: () => {
        if (++steps === 5) controller.abort();
      },
    }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect((failure as Error).name).to.equal('AbortError');
    expect(steps).to.equal(5);
  });
});

describe('solver options', () => {
  it('refuses tolerances of zero and steps below one', () => {
    expect(() => dopri5({ rtol: 0, atol: 0 })).to.throw(OptionError);
    expect(() => dopri5({ rtol: -1 })).to.throw(OptionError, /rtol/);
    expect(() => euler({ steps: 0 })).to.throw(OptionError, /steps/);
    expect(() => midpoint({ steps: 2.5 })).to.throw(OptionError, /steps/);
  });

  it('refuses to mix fixed and adaptive steps', () => {
    expect(() => dopri5({ steps: 4, rtol: 1e-3 })).to.throw(OptionError, /rtol/);
    expect(() => euler({ rtol: 1e-3 } as never)).to.throw(OptionError, /no option 'rtol'/);
    expect(() => euler({ steps: 3, grid: [0, 0.5, 1] })).to.throw(OptionError, /different numbers/);
    expect(() => euler({ grid: [0, 0.6, 0.5, 1] })).to.throw(OptionError, /grid/);
  });

  it('takes a budget of evaluations', async () => {
    const backend = createReferenceBackend();
    const run = async (solver: Solver) => solve(backend, solver, problems['harmonic'], start('harmonic'));
    expect((await run(rk4({ evaluations: 11 }))).evaluations[0]).to.equal(8);
    expect((await run(dopri5({ evaluations: 12 }))).evaluations[0]).to.equal(12);
    expect(() => rk4({ evaluations: 3 })).to.throw(OptionError, /do not pay/);
    const capped = await run(dopri5({ rtol: 1e-10, atol: 1e-10, maxEvaluations: 30 }));
    expect(capped.status).to.deep.equal(['maxSteps']);
    expect(capped.evaluations[0]).to.be.at.most(30);
    await backend.dispose();
  });

  for (const grid of ['cosine', 'edm'] as const) {
    it(`steps along the ${grid} grid`, async () => {
      const fractions = timeGrid(grid, 6)!;
      expect([fractions[0], fractions[6]]).to.deep.equal([0, 1]);
      expect(fractions.every((value, i) => i === 0 || value > fractions[i - 1])).to.equal(true);
      const backend = createReferenceBackend();
      const { keptRows } = await solve(backend, euler({ steps: 6, grid }), problems['exponential'], [[1]], {
        times: fractions,
      });
      await backend.dispose();
      // Euler on y' = y multiplies by 1 + h.
      let product = 1;
      keptRows[0].forEach(([value], i) => {
        if (i > 0) product *= 1 + fractions[i] - fractions[i - 1];
        expect(value).to.be.closeTo(product, 1e-6);
      });
    });
  }
});
