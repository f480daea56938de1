import { SolverError, type Flow, type Solver, type VectorFieldModel } from '@flow-matching/core';
import { and, createReferenceBackend, where } from '@flow-matching/tensor';
import { dopri5, euler, eulerMaruyama, midpoint, predictorCorrector } from '@flow-matching/plugins';
import { expect } from 'chai';
import { points, smallFlow } from '../../../test/support/flows.ts';

const [count, broken, batchSize] = [11, 9, 4];
const far = 1e4;

/** A field that is 0, but NaN from t = 1/2 on for points beyond 1000. */
const model: VectorFieldModel = {
  name: 'broken',
  init: () => ({}),
  apply: (_, { t, x }) => where(and(x.greater(1e3), t.greater(0.49).reshape([t.size, 1])), NaN, x.mul(0)),
};

/** Eleven points in the plane, of which that with index 9 meets what is not finite. */
const starts = points(Array.from({ length: count }, (_, i) => (i === broken ? [0, far] : [i / 10, -i / 10])));

async function failureOf(work: Promise<unknown>): Promise<SolverError> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).to.be.instanceOf(SolverError);
  return failure as SolverError;
}

const solvers: readonly (readonly [string, Solver])[] = [
  ['euler', euler({ steps: 10 })],
  ['dopri5', dopri5()],
  ['dopri5 with steps of each sample', dopri5({ perSample: true })],
  ['euler-maruyama', eulerMaruyama({ steps: 10 })],
  ['predictor-corrector', predictorCorrector({ steps: 10 })],
];

describe('results of the drivers are finite or an error that names the time and the sample', () => {
  const backend = createReferenceBackend();
  let flow: Flow;
  before(async () => {
    flow = await smallFlow(backend, { model });
    flow.load({}, { shape: [2] });
  });
  after(async () => {
    await flow.dispose();
    await backend.dispose();
  });

  for (const [name, solver] of solvers) {
    it(`sampling by ${name}`, async () => {
      const failure = await failureOf(flow.sample(count, { solver, source: starts, batchSize }));
      const { status, sample, t } = failure.actual as { status: string; sample: number; t: number };
      expect({ status, sample }).to.deep.equal({ status: 'nonFinite', sample: broken });
      expect(t).to.be.closeTo(0.5, 0.11);
      expect(failure.message).to.include(`of sample ${broken} is not finite at t = 0.`);
    });

    if (!solver.stochastic)
      it(`log-likelihoods by ${name}`, async () => {
        const failure = await failureOf(flow.logLikelihood(starts, { solver, divergence: 'exact', batchSize }));
        expect(failure.actual).to.include({ status: 'nonFinite', sample: broken });
      });
  }

  it('trajectories whose ends are finite', async () => {
    // Cubic interpolation evaluates the end of a step, which the midpoint rule itself does not.
    const open: VectorFieldModel = {
      ...model,
      apply: (_, { t, x }) => x.mul(0).add(where(t.greater(0.999), NaN, 0).reshape([t.size, 1])),
    };
    const walled = await smallFlow(backend, { model: open });
    walled.load({}, { shape: [2] });
    const solver = midpoint({ steps: 10 });
    await walled.sample(3, { solver });
    const failure = await failureOf(walled.sample(3, { solver, trajectory: 21 }));
    await walled.dispose();
    expect(failure.message).to.include('The state of sample 0 is not finite at t = 0.95');
  });
});
