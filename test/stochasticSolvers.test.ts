import { onnx } from '@flow-matching/backend-onnx';
import { marginalScore, type Path, type Solver } from '@flow-matching/core';
import { createReferenceBackend, f32, hostArray, trace } from '@flow-matching/tensor';
import { custom, eulerMaruyama, polynomial, predictorCorrector } from '@flow-matching/plugins';
import { expect } from 'chai';
import { exactly } from './support/exactFlows.ts';
import { smallFlow } from './support/flows.ts';
import { gaussian, gaussianMarginal } from './support/gaussianData.ts';
import { oneSidedPaths, type Paths } from './support/paths.ts';

/** Every path from Gaussian noise; among them some whose scale vanishes at t = 0 with its rate, or whose std does at t = 1. */
const paths: Paths = {
  ...oneSidedPaths,
  'custom with a std that levels out at 0': custom({ mean: 't * x1', std: '(1 - t) * (1 - t)' }),
  ...Object.fromEntries([2, 5, 16].map((degree) => [`polynomial of degree ${degree}`, polynomial({ degree })])),
};

describe('the score of the marginal from its velocity', () => {
  const backend = createReferenceBackend();
  after(() => backend.dispose());

  for (const [name, path] of Object.entries(paths))
    it(`is that of Gaussian data on ${name}, ends included`, async () => {
      const { start, end } = path.interval;
      const shares = [0, 2 ** -40, 2 ** -20, 0.1, 0.5, 0.9, 1 - 2 ** -20, 1];
      const times = shares.map((share) => start * (1 - share) + end * share);
      const graph = trace(
        ({ t, x }) => {
          const { field, score } = gaussianMarginal(path, t, x);
          const { scaled, std, rate } = marginalScore(path, t, x, field);
          return { scaled, expected: score.mul(std.square()), strength: rate.mul(std).add(x.mul(0)) };
        },
        { t: f32([times.length]), x: f32([times.length, 2]) },
      );
      const program = await backend.compile(graph);
      const results = await program.run({
        t: { data: Float64Array.from(times), shape: [times.length], dtype: 'f32' },
        x: hostArray(
          times.flatMap(() => [0.7, -1.1]),
          [times.length, 2],
        ),
      });
      const [scaled, expected, strength] = await Promise.all(
        ['scaled', 'expected', 'strength'].map((each) => results[each].read()),
      );
      await program.dispose();
      expected.forEach((value, i) => expect(scaled[i]).to.be.closeTo(value, 1e-9 * Math.max(1, Math.abs(value))));
      expect(strength.every((value) => value >= 0 && Number.isFinite(value))).to.equal(true);
    });
});

describe('stochastic solvers', () => {
  const solvers = {
    'euler-maruyama': eulerMaruyama({ steps: 100, grid: 'cosine' }),
    'predictor-corrector': predictorCorrector({ steps: 100, grid: 'cosine', stepSize: 0.02 }),
  };
  const count = 2048;
  /** In f32: the reference would hide what cancels or underflows. */
  const backend = onnx({ threads: 1 });
  after(() => backend.dispose());

  /** Mean and standard deviation of samples of a flow with the exact field, by coordinate. */
  async function moments(path: Path, solver: Solver): Promise<number[][]> {
    const flow = await smallFlow(backend, { path, model: exactly('field', path) });
    flow.load({}, { shape: [2] });
    const { samples } = await flow.sample(count, { seed: 5, solver });
    await flow.dispose();
    return [0, 1].map((d) => {
      const values = Array.from({ length: count }, (_, n) => samples.data[2 * n + d]);
      const mean = values.reduce((a, b) => a + b, 0) / count;
      return [mean, Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / count)];
    });
  }

  // Conformance and drivers.test.ts sample along optimal transport and the variance-preserving path.
  const sampled = Object.entries(paths).filter(([label]) => /polynomial|custom|exploding/.test(label));
  for (const [name, solver] of Object.entries(solvers))
    for (const [label, path] of sampled)
      it(`${name} samples Gaussian data along ${label}`, async () => {
        // Each Euler step of the variance-exploding path divides the std by up to 1.14: a hundred of them are far from exact.
        const bias = path.name === 'variance-exploding' ? 0.1 : 0.02;
        for (const [d, [mean, std]] of (await moments(path, solver)).entries()) {
          // Five standard errors, and room for the bias of steps of order one.
          expect(mean).to.be.closeTo(gaussian.means[d], 5 * (gaussian.std / Math.sqrt(count)) + bias);
          expect(std).to.be.closeTo(gaussian.std, 5 * (gaussian.std / Math.sqrt(2 * count)) + bias);
        }
      });
});
