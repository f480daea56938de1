import { constant, jvp, onesLike, type Path, type Tensor } from '@flow-matching/core';
import { checkerboardDensity, gaussianMixture, type MarginalDensity } from '@flow-matching/plugins';
import { onEachBackend } from './support/backends.ts';
import { sizeOfRounding } from './support/conditioning.ts';
import { evaluateOn, expectWithin } from './support/evaluate.ts';
import { oracle } from './support/oracles.ts';
import { isotropicPaths, pathOf, type PathCase } from './support/paths.ts';

interface MarginalCase extends PathCase {
  readonly points: {
    readonly t: number;
    readonly x: number[];
    readonly logProb: number;
    readonly field: number[];
    readonly score?: number[];
  }[];
}
interface MixtureCase extends MarginalCase {
  readonly weights: number[];
  readonly means: number[][];
  readonly stds: number[];
}

/** Rounding errors that a marginal's formulas may add up: exponents of size ten, sums over components, error functions. */
const operations = 64;
/** What the oracles' own differences of error functions leave, beside values of size one. */
const oracleAccuracy = 1e-13;

const quantities =
  (density: MarginalDensity, path: Path) =>
  ({ t, x }: Record<string, Tensor>): Record<string, Tensor> => ({
    logDensity: density.logDensity(path, t, x),
    field: density.field(path, t, x),
    score: density.score(path, t, x),
  });

/** The derivative of a formula along a direction. */
const along = (formula: (at: Tensor) => Tensor, at: Tensor, direction: Tensor): Tensor =>
  jvp((moving) => [formula(moving)], [at], [direction]).tangents[0];

/** The terms of ∂ log p/∂t + ∇·u + u·∇log p, which the continuity equation (Theorem 1) says add up to 0. */
const continuityTerms =
  (density: MarginalDensity, path: Path) =>
  ({ t, x }: Record<string, Tensor>): Record<string, Tensor> => {
    const rate = along((time) => density.logDensity(path, time, x), t, onesLike(t));
    const divergence = [0, 1].map((axis) => {
      const direction = constant([[0, 1].map((i) => (i === axis ? 1 : 0))]);
      return along((point) => density.field(path, t, point), x, direction.expand(x.shape))
        .mul(direction)
        .sum(1);
    });
    const advection = along((point) => density.logDensity(path, t, point), x, density.field(path, t, x));
    return { rate, divergence0: divergence[0], divergence1: divergence[1], advection };
  };

const mixture = gaussianMixture({
  weights: [0.5, 0.3, 0.2],
  means: [
    [1, 0.5],
    [-1, 1],
    [0.2, -1.4],
  ],
  stds: [0.5, 0.3, 0.8],
});

onEachBackend('marginals', (backend, roundOff) => {
  const check = async (density: MarginalDensity, oracleCase: MarginalCase): Promise<void> => {
    const { points } = oracleCase;
    const formula = quantities(density, pathOf(oracleCase));
    const at = { t: points.map(({ t }) => t), x: points.map(({ x }) => x) };
    const [got, size] = [await evaluateOn(backend(), formula, at), await sizeOfRounding(formula, at)];
    const compare = (what: string, expected: readonly number[]): void =>
      expectWithin(
        got[what],
        expected,
        size[what].map((value) => operations * roundOff * value + oracleAccuracy),
        what,
      );
    compare(
      'logDensity',
      points.map(({ logProb }) => logProb),
    );
    compare(
      'field',
      points.flatMap(({ field }) => field),
    );
    if (points[0].score)
      compare(
        'score',
        points.flatMap(({ score = [] }) => score),
      );
  };

  oracle<{ cases: MixtureCase[] }>('mixture-marginals').cases.forEach((each, i) => {
    it(`of mixtures agree with oracle ${i}: ${each.path}, ${each.means.length} components`, () =>
      check(gaussianMixture(each), each));
  });

  oracle<{ cases: MarginalCase[] }>('checkerboard-marginals').cases.forEach((each, i) => {
    it(`of the checkerboard agree with oracle ${i}: ${each.path}`, () => check(checkerboardDensity(), each));
  });

  for (const [label, path] of Object.entries(isotropicPaths)) {
    it(`obey Theorem 1 on ${label}: the continuity equation's residual vanishes`, async () => {
      const times = [2 ** -10, 0.1, 0.35, 0.6, 0.85, 0.97, 0.999].map((t) => Math.fround(t));
      const at = { t: times, x: times.map((_, i) => [Math.sin(2 * i) * 1.5, Math.cos(3 * i + 1)]) };
      const formula = continuityTerms(mixture, path);
      const [terms, sizes] = [await evaluateOn(backend(), formula, at), await sizeOfRounding(formula, at)];
      const sum = (of: Record<string, number[]>): number[] =>
        times.map((_, i) => Object.values(of).reduce((total, values) => total + values[i], 0));
      expectWithin(
        sum(terms),
        times.map(() => 0),
        sum(sizes).map((size) => operations * roundOff * size),
        'residual',
      );
    });
  }
});
