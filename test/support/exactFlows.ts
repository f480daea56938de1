import type { Objective, Path, VectorFieldModel } from '@flow-matching/core';
import type { Backend } from '@flow-matching/tensor';
import {
  conditionalFlowMatching,
  dopri5,
  noiseMatching,
  scoreFlow,
  scoreMatching,
  x1Prediction,
} from '@flow-matching/plugins';
import { expectWithin } from './evaluate.ts';
import { points, smallFlow } from './flows.ts';
import { carried, gaussian, gaussianMarginal, type GaussianMarginal } from './gaussianData.ts';
import { nested } from './ode.ts';

/** Objectives with the quantity that their model predicts. */
export const predictions: readonly { readonly objective: Objective; readonly predicts: keyof GaussianMarginal }[] = [
  { objective: noiseMatching(), predicts: 'noise' },
  { objective: scoreMatching(), predicts: 'score' },
  { objective: scoreFlow(), predicts: 'score' },
  { objective: x1Prediction(), predicts: 'data' },
  { objective: conditionalFlowMatching(), predicts: 'field' },
];

/** A quantity of the exact marginal of Gaussian data, in a trained model's place. */
export const exactly = (what: keyof GaussianMarginal, path: Path): VectorFieldModel => ({
  name: `exact-${what}`,
  init: () => ({}),
  apply: (_, { t, x }) => gaussianMarginal(path, t, x)[what],
});

const starts = [
  [0.3, -1.2],
  [-2, 0.5],
  [1.1, 1.7],
];

const priorStdOf = ({ priorStd }: Path, dimension: number): number =>
  typeof priorStd === 'number' ? priorStd : priorStd[dimension];

/** Points to start from, spread as the path's prior is. */
export const startsOf = (path: Path): number[][] => starts.map((row) => row.map((x, i) => x * priorStdOf(path, i)));

/**
 * Integrates the exact prediction through an objective's conversion, there and back, and compares with the affine flow.
 *
 * Where the objective holds its field, for up to 3/128 of the interval, the end moves by about the square of that, 6e-4, times a
 * curvature of a few.
 */
export async function checkConvertedFlow(
  backend: Backend,
  path: Path,
  objective: Objective,
  predicts: keyof GaussianMarginal,
): Promise<void> {
  const within = 2e-3;
  const what = `${objective.name} on ${path.name}`;
  const flow = await smallFlow(backend, { path, objective, model: exactly(predicts, path) });
  flow.load({}, { shape: [2] });
  const source = startsOf(path);
  const { samples } = await flow.sample(source.length, { source: points(source), solver: dopri5() });
  const { latent } = await flow.logLikelihood(samples, { divergence: 'exact', solver: dopri5() });
  await flow.dispose();
  nested(samples).forEach((row, i) =>
    expectWithin(row, carried(path, source[i].map(Math.fround)), within, `${what}: end`),
  );
  // The way back magnifies by what the way there contracts.
  const magnified = source.flat().map((_, i) => (within * priorStdOf(path, i % 2)) / gaussian.std);
  expectWithin(nested(latent).flat(), source.flat(), magnified, `${what}: start`);
}
