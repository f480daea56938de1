import type { Path } from '@flow-matching/core';
import type { Tensor } from '@flow-matching/tensor';
import { checkerboardDensity, gaussianMixture, type MarginalDensity } from '@flow-matching/plugins';
import { onEachBackend } from './support/backends.ts';
import { sizeOfRounding } from './support/conditioning.ts';
import { evaluateOn, expectWithin } from './support/evaluate.ts';
import { oracle } from './support/oracles.ts';
import { pathOf, type PathCase } from './support/paths.ts';

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
});
