import { SolverError, type OdeRunOptions, type Solver } from '@flow-matching/core';
import { and, createReferenceBackend, OptionError, where, type Backend, type Executable } from '@flow-matching/tensor';
import { adaptiveHeun, dopri5, euler } from '@flow-matching/plugins';
import { expect } from 'chai';
import { solve, type Field } from '../../../test/support/ode.ts';

/** The error that a solve ends with. */
async function failureOf(solving: Promise<unknown>): Promise<SolverError> {
  const failure = await solving.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).to.be.instanceOf(SolverError);
  return failure as SolverError;
}

describe('step control', () => {
  const backend: Backend = createReferenceBackend();
  after(() => backend.dispose());

  interface Attempt {
    t: number;
    h: number;
    error: number;
    accepted: boolean;
  }

  /** Attempts of the Heun–Euler pair on a scalar equation under PI control with the default settings, written plainly in f64. */
  function plainAttempts(
    f: (t: number, y: number) => number,
    y0: number,
    { tolerance, firstStep, count }: { tolerance: number; firstStep: number; count: number },
  ): Attempt[] {
    let [t, y, h, previous] = [0, y0, firstStep, 1];
    return Array.from({ length: count }, () => {
      const step = Math.min(h, 1 - t);
      const k1 = f(t, y);
      const k2 = f(t + step, y + step * k1);
      const y1 = y + (step / 2) * (k1 + k2);
      const error = Math.abs((step / 2) * (k2 - k1)) / (tolerance + tolerance * Math.max(Math.abs(y), Math.abs(y1)));
      const accepted = error <= 1;
      const asked = 0.9 * error ** (-(0.2 + 0.65) / 2) * previous ** (0.2 / 2);
      h = step * Math.max(0.2, Math.min(asked, accepted ? 10 : 1));
      if (accepted) [t, y, previous] = [t + step, y1, error];
      return { t, h, error, accepted };
    });
  }

  const attempt = async (solver: Solver, field: Field, y0 = 1) => solve(backend, solver, field, [[y0]]);

  it('remembers the error of accepted steps only', async () => {
    const [tolerance, firstStep, count] = [1e-2, 0.4, 8];
    const expected = plainAttempts((t, y) => -20 * (y - Math.cos(9 * t)), 1, { tolerance, firstStep, count });
    const turns = expected.map(({ accepted }) => (accepted ? 'a' : 'r')).join('');
    // A rejection after an accepted step, and steps that follow it: memory that took the rejected error would show in their sizes.
    expect(turns).to.match(/ar+a/);
    const field: Field = (t, y) => y.sub(t.reshape([t.size, 1]).mul(9).cos()).mul(-20);
    for (let maxSteps = 1; maxSteps <= count; maxSteps++) {
      const { t, h, error } = await attempt(
        adaptiveHeun({ rtol: tolerance, atol: tolerance, firstStep, maxSteps }),
        field,
      );
      const plain = expected[maxSteps - 1];
      expect(t[0]).to.be.closeTo(plain.t, 1e-6);
      expect(h[0] / plain.h).to.be.closeTo(1, 1e-5);
      expect(error[0] / plain.error).to.be.closeTo(1, 1e-5);
    }
  });

  for (const [name, rate] of [
    ['grows', 2],
    ['falls', -0.9],
  ] as const) {
    it(`measures the error against the larger end of a step along which the solution ${name}`, async () => {
      const solver = adaptiveHeun({ rtol: 0.1, atol: 0.01, firstStep: 1, maxSteps: 1 });
      const { error } = await attempt(solver, (_, y) => y.mul(rate));
      const y1 = 1 + rate + rate ** 2 / 2;
      expect(error[0]).to.be.closeTo(rate ** 2 / 2 / (0.01 + 0.1 * Math.max(1, y1)), 1e-5);
    });
  }

  it('stretches a step to the end only if less than 0.1 % of it is missing', async () => {
    const constantSpeed: Field = (_, y) => y.mul(0).add(1);
    const steps = async (firstStep: number): Promise<number> => {
      const { accepted, rows } = await attempt(dopri5({ firstStep }), constantSpeed, 0);
      expect(rows[0][0]).to.be.closeTo(1, 1e-6);
      return accepted[0];
    };
    expect([await steps(0.9995), await steps(0.998), await steps(0.95)]).to.deep.equal([1, 2, 2]);
  });

  describe('says how a solve failed', () => {
    const column = (t: Parameters<Field>[0]) => t.reshape([t.size, 1]);

    it('underflow where the field is finite and the tolerance cannot be met', async () => {
      // y = 2/(1 − 2t).
      const failure = await failureOf(attempt(dopri5(), (_, y) => y.square(), 2));
      expect(failure.actual).to.include({ status: 'underflow' });
      expect(failure.message).to.match(/^The step size vanished at t = 0\.(49|50)/);
    });

    it('nonFinite where the field is not finite', async () => {
      const failure = await failureOf(attempt(dopri5(), (t, y) => y.add(column(t).neg().add(0.5).sqrt())));
      expect(failure.actual).to.include({ status: 'nonFinite', sample: 0 });
      expect(failure.message).to.match(/^The vector field of sample 0 is not finite at t = 0\.(49|5)/);
    });
  });

  describe('ends at once', () => {
    const nowhere: Field = (_, y) => y.mul(NaN);
    const logarithmic: Field = (t, y) => y.add(t.reshape([t.size, 1]).log());
    const attempts = ({ message }: SolverError): number => {
      const [, accepted, rejected] = /(\d+) accepted and (\d+) rejected/.exec(message)!;
      return Number(accepted) + Number(rejected);
    };

    for (const [name, solver] of [
      ['shared steps', dopri5()],
      ['steps of each sample', dopri5({ perSample: true })],
      ['a method without a kept stage', adaptiveHeun()],
    ] as const) {
      it(`on a field that is NaN, with ${name}`, async () => {
        const failure = await failureOf(solve(backend, solver, nowhere, [[1], [2]]));
        expect(failure.actual).to.include({ status: 'nonFinite', t: 0, sample: 0 });
        expect(attempts(failure)).to.equal(0);
      });

      it(`on a field that is infinite at the start, with ${name}`, async () => {
        const failure = await failureOf(solve(backend, solver, logarithmic, [[1], [2]]));
        expect(failure.actual).to.include({ status: 'nonFinite', t: 0 });
        expect(attempts(failure)).to.equal(0);
      });

      it(`on a start that is not finite, with ${name}`, async () => {
        const failure = await failureOf(solve(backend, solver, (_, y) => y.mul(0), [[1], [2], [NaN]]));
        expect(failure.actual).to.include({ status: 'nonFinite', t: 0, sample: 2 });
        expect(attempts(failure)).to.equal(0);
      });
    }

    it('on a field that is NaN where the first step is given', async () => {
      const failure = await failureOf(attempt(adaptiveHeun({ firstStep: 0.1 }), nowhere));
      expect(failure.actual).to.include({ status: 'nonFinite', t: 0 });
      expect(attempts(failure)).to.be.lessThan(20);
    });
  });

  it('finds a first step where the field one guess ahead is not finite', async () => {
    // The guess moves the second sample by more than there is of it, while the solution (√y₀ − 5t)² stays positive.
    const field: Field = (_, y) => where(y.greater(1), 0, y.sqrt().mul(-10));
    const { status, rows } = await solve(backend, dopri5(), field, [[100], [0.01]], { end: 0.015 });
    expect(status).to.deep.equal(['done']);
    expect(rows[1][0]).to.be.closeTo((0.1 - 5 * 0.015) ** 2, 1e-5);
  });

  for (const [rate, steps] of [
    [1e30, 1],
    [1e12, 100],
  ] as const) {
    it(`begins with ${steps} × the smallest step that f32 times resolve where the field is ${rate}`, async () => {
      const { t } = await attempt(dopri5({ maxSteps: 1 }), (_, y) => y.mul(0).add(rate));
      expect(t[0] / (steps * 4 * 2 ** -24)).to.be.closeTo(1, 1e-6);
    });
  }

  it('integrates a field so steep that its norm overflows', async () => {
    const { status, rows } = await attempt(
      dopri5(),
      (t, y) => y.mul(0).add(t.reshape([t.size, 1]).add(1).mul(1e200)),
      0,
    );
    expect(status).to.deep.equal(['done']);
    expect(rows[0][0] / 1e200).to.be.closeTo(1.5, 1e-5);
  });

  describe('solves with a known number of steps', () => {
    /** Past t = 0.46 the derivative of rows that started beyond 1.5 is infinite. */
    const wall: Field = (t, y) => {
      const past = t.reshape([t.size, 1]).greater(0.46);
      return where(and(past, y.greater(1.5)), Infinity, 0);
    };

    it('remember the first time at which a state was not finite, and the sample', async () => {
      const solving = solve(backend, euler({ steps: 20 }), wall, [[1], [2], [3]], { firstSample: 40 });
      const failure = await failureOf(solving);
      expect(failure.message).to.match(/^The state of sample 41 is not finite at t = 0\.55: .* after 11 accepted/);
      expect(failure.actual).to.include({ status: 'nonFinite', sample: 41 });
    });

    it('leave padding that is not finite alone', async () => {
      const { rows, status } = await solve(backend, euler({ steps: 4 }), (_, y) => y, [[1], [NaN]], { count: 1 });
      expect(status).to.deep.equal(['done']);
      expect(rows[0][0]).to.equal(1.25 ** 4);
    });

    it('run 21 programs for 20 steps, and read the status once', async () => {
      const watched = watch(backend);
      const shares: number[] = [];
      await solve(watched.backend, euler({ steps: 20 }), (_, y) => y, [[1]], { onStep: (share) => shares.push(share) });
      expect(watched.runs).to.equal(21);
      expect(watched.reads.get('state.status')).to.equal(1);
      expect(Math.max(...watched.reads.values())).to.equal(1);
      expect(shares).to.deep.equal(Array.from({ length: 20 }, (_, i) => (i + 1) / 20));
    });
  });

  it('reads the time of adaptive solves for progress only', async () => {
    const [silent, shown] = [watch(backend), watch(backend)];
    const shares: number[] = [];
    const { accepted } = await solve(silent.backend, dopri5(), (_, y) => y, [[1]], { start: 1, end: 0 });
    await solve(shown.backend, dopri5(), (_, y) => y, [[1]], {
      start: 1,
      end: 0,
      onStep: (share) => shares.push(share),
    });
    expect(silent.reads.get('state.t')).to.equal(1);
    expect(shown.reads.get('state.t')).to.equal(1 + accepted[0]);
    expect(shares)
      .to.have.lengthOf(accepted[0])
      .and.to.deep.equal(shares.toSorted((a, b) => a - b));
    expect(shares.at(-1)).to.equal(1);
  });

  describe('refuses before it runs', () => {
    const refused = async (options: Partial<OdeRunOptions>, solver: Solver = dopri5()): Promise<Error> => {
      const watched = watch(backend);
      const failure = await solve(watched.backend, solver, (_, y) => y, [[1]], options).catch(
        (error: unknown) => error,
      );
      expect(failure).to.be.instanceOf(OptionError);
      expect(watched.runs).to.equal(0);
      return failure as Error;
    };

    for (const [start, end] of [
      [0.5, 0.5],
      [0, NaN],
      [-Infinity, 0],
      [0, 1e39],
      [1e9, 1e9 + 1],
    ]) {
      it(`the interval from ${start} to ${end}`, async () => {
        for (const solver of [dopri5(), euler()])
          expect((await refused({ start, end }, solver)).message).to.include(`from t = ${start} to t = ${end}`);
      });
    }

    for (const time of [-0.01, 1.01, NaN]) {
      it(`to keep the state at t = ${time}`, async () => {
        expect((await refused({ times: [0.5, time] })).message).to.include(`at t = ${time}`);
        expect((await refused({ times: [0.5, time], start: 1, end: 0 })).message).to.include(`at t = ${time}`);
      });
    }
  });
});

/** A backend that counts runs of its programs and reads of their results by name. */
function watch(inner: Backend): { backend: Backend; runs: number; reads: Map<string, number> } {
  const watched = { runs: 0, reads: new Map<string, number>(), backend: inner };
  const watchedExecutable = (executable: Executable): Executable => ({
    graph: executable.graph,
    bind: (arrays) => watchedExecutable(executable.bind(arrays)),
    dispose: () => executable.dispose(),
    async run(inputs) {
      watched.runs++;
      const results = await executable.run(inputs);
      for (const [name, array] of Object.entries(results)) {
        const read = array.read.bind(array);
        array.read = () => {
          watched.reads.set(name, (watched.reads.get(name) ?? 0) + 1);
          return read();
        };
      }
      return results;
    },
  });
  watched.backend = {
    name: inner.name,
    device: inner.device,
    manifest: inner.manifest,
    array: (array) => inner.array(array),
    dispose: () => inner.dispose(),
    [Symbol.asyncDispose]: () => inner.dispose(),
    compile: async (graph, options) => watchedExecutable(await inner.compile(graph, options)),
  };
  return watched;
}
