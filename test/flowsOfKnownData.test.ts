import type { Flow } from '@flow-matching/core';
import { dopri5, gaussianMixture, marginalField } from '@flow-matching/plugins';
import { expect } from 'chai';
import { onEachBackend } from './support/backends.ts';
import { expectWithin } from './support/evaluate.ts';
import { checkConvertedFlow, exactly, predictions, startsOf } from './support/exactFlows.ts';
import { gaussianLogDensity, points, smallFlow } from './support/flows.ts';
import { carried } from './support/gaussianData.ts';
import { nested } from './support/ode.ts';
import { oracle } from './support/oracles.ts';
import { isotropicPaths, oneSidedPaths, pathOf, type PathCase } from './support/paths.ts';

interface LikelihoodCase extends PathCase {
  readonly mean: number[];
  readonly std: number;
  readonly tEnd: number;
  readonly points: { readonly x: number[]; readonly x0: number[]; readonly logProb: number }[];
}

onEachBackend('the flow of known data', (backend, roundOff) => {
  const exact = roundOff < 1e-10;
  const tolerance = exact ? 1e-8 : 1e-5;
  /** A solve keeps its error near its tolerance, beside values of size one; steps add their rounding. */
  const within = exact ? 1e-6 : 2e-4;
  const flowWith = async (
    parts: NonNullable<Parameters<typeof smallFlow>[1]>,
    shape: readonly number[] = [2],
  ): Promise<Flow> => {
    const flow = await smallFlow(backend(), { ...parts, solver: dopri5({ rtol: tolerance, atol: tolerance }) });
    flow.load({}, { shape });
    return flow;
  };

  for (const [i, each] of oracle<{ cases: LikelihoodCase[] }>('likelihood').cases.entries()) {
    it(`has the likelihoods and latents of oracle ${i}: ${each.path} ${JSON.stringify(each.options)}`, async () => {
      const path = pathOf(each);
      expect(path.interval.end).to.equal(each.tEnd);
      const density = gaussianMixture({ weights: [1], means: [each.mean], stds: [each.std] });
      const flow = await flowWith({ path, model: marginalField(density, path) }, [each.mean.length]);
      const { logLikelihood, latent } = await flow.logLikelihood(points(each.points.map(({ x }) => x)), {
        divergence: 'exact',
      });
      await flow.dispose();
      // Points of the oracle are rounded to f32 on their way in, which the path's end magnifies by its contraction.
      const rounded = exact ? 2e-6 : within;
      expectWithin(
        Array.from(logLikelihood),
        each.points.map(({ logProb }) => logProb),
        2 * rounded,
        'log p₁',
      );
      const prior = typeof path.priorStd === 'number' ? path.priorStd : 1;
      expectWithin(
        Array.from(latent.data),
        each.points.flatMap(({ x0 }) => x0),
        rounded * Math.max(1, prior),
        'x₀',
      );
    });
  }

  for (const [label, path] of Object.entries(oneSidedPaths)) {
    it(`carries points of the prior where the affine flow of Gaussian data does: ${label}`, async () => {
      const flow = await flowWith({ path, model: exactly('field', path) });
      const source = startsOf(path);
      const { samples } = await flow.sample(source.length, { source: points(source) });
      await flow.dispose();
      nested(samples).forEach((row, i) => expectWithin(row, carried(path, source[i].map(Math.fround)), within, 'end'));
    });
  }

  const mixture = {
    weights: [0.5, 0.3, 0.2],
    means: [
      [1, 0.5],
      [-1, 1],
      [0.2, -1.4],
    ],
    stds: [0.5, 0.3, 0.8],
  };
  it('has the exact log-density of mixture data', async () => {
    for (const label of ['optimal-transport', 'trigonometric', 'polynomial of degree 3'] as const) {
      const path = isotropicPaths[label];
      const flow = await flowWith({ path, model: marginalField(gaussianMixture(mixture), path) });
      const rows = [
        [0.9, 0.2],
        [-1.1, 0.8],
        [0, -1],
      ];
      const { logLikelihood } = await flow.logLikelihood(points(rows), { divergence: 'exact' });
      await flow.dispose();
      const known = rows.map((row) =>
        Math.log(
          mixture.weights.reduce(
            (sum, weight, k) =>
              sum +
              weight *
                Math.exp(
                  gaussianLogDensity(
                    row.map((x, i) => Math.fround(x) - mixture.means[k][i]),
                    0,
                    mixture.stds[k],
                  ),
                ),
            0,
          ),
        ),
      );
      expectWithin(Array.from(logLikelihood), known, 4 * within, label);
    }
  });

  for (const { objective, predicts } of predictions) {
    it(`is integrated from the exact ${predicts} through ${objective.name}, ends of the interval included`, async () => {
      for (const label of ['optimal-transport', 'variance-preserving', 'custom with a std per dimension'])
        await checkConvertedFlow(backend(), oneSidedPaths[label], objective, predicts);
    });
  }
});
