import {
  conditionalField,
  conditionalFlow,
  conditionalLogDensity,
  conditionalScore,
  derivedField,
} from '@flow-matching/core';
import { onEachBackend } from './support/backends.ts';
import { evaluateOn, expectWithin } from './support/evaluate.ts';
import { oracle } from './support/oracles.ts';
import { pathOf, type PathCase } from './support/paths.ts';

interface ConditionalCase extends PathCase {
  readonly t: number;
  readonly x0: number[];
  readonly x1: number[];
  readonly meanScale: number;
  readonly std: number;
  readonly dMeanScale: number;
  readonly dStd: number;
  readonly xt: number[];
  readonly ut: number[];
  readonly utAtOtherPoint: { readonly x: number[]; readonly u: number[] };
  readonly score: number[];
  readonly logProb: number;
}

/** Rounding errors that a formula may add up: those of its exponents, up to 10, and its dozen operations. */
const operations = 16;

/** Relative rounding of what a case computes with: arithmetic, a time that f32 cannot hold, and the oracle's own std. */
const roundingOf = ({ t, std }: ConditionalCase, roundOff: number): number =>
  roundOff + (Math.fround(t) === t ? 0 : (roundOff * t) / (1 - t)) + 2 ** -52 / std;

/** |x| + |μ|, whose difference the division by σ shows. */
const spread = ({ x1, meanScale }: ConditionalCase, x: number, i: number): number =>
  Math.abs(x) + Math.abs(meanScale * x1[i]);

const groupBy = <T>(items: readonly T[], key: (item: T) => string): [string, T[]][] =>
  [...new Set(items.map(key))].map((name) => [name, items.filter((item) => key(item) === name)]);

const cases = oracle<{ cases: ConditionalCase[] }>('paths').cases;

onEachBackend('conditional paths', (backend, roundOff) => {
  for (const [name, group] of groupBy(cases, ({ path, options }) => `${path} ${JSON.stringify(options)}`)) {
    it(`agree with every oracle of ${name}`, async () => {
      const path = pathOf(group[0]);
      const got = await evaluateOn(
        backend(),
        ({ t, x0, x1, other }) => {
          const time = t.reshape([-1, 1]);
          const { x, velocity } = conditionalFlow(path, t, { x1 }, x0);
          return {
            mean: path.mean(time, { x1 }),
            std: path.std(time),
            x,
            velocity,
            field: conditionalField(path, t, other, { x1 }),
            derived: derivedField(path, t, other, { x1 }),
            score: conditionalScore(path, t, x, { x1 }),
            logDensity: conditionalLogDensity(path, t, x, { x1 }),
          };
        },
        {
          t: group.map(({ t }) => t),
          x0: group.map(({ x0 }) => x0),
          x1: group.map(({ x1 }) => x1),
          other: group.map(({ utAtOtherPoint }) => utAtOtherPoint.x),
        },
      );
      /** Compares a quantity with its oracle, within the rounding of terms of the given size. */
      const check = (
        what: string,
        expected: (c: ConditionalCase) => number[],
        size: (c: ConditionalCase, i: number) => number,
      ): void =>
        expectWithin(
          got[what],
          group.flatMap(expected),
          group.flatMap((c) => expected(c).map((_, i) => operations * roundingOf(c, roundOff) * size(c, i))),
          `${name} ${what}`,
        );
      check(
        'mean',
        ({ x1, meanScale }) => x1.map((x) => x * meanScale),
        (c, i) => Math.abs(c.meanScale * c.x1[i]),
      );
      check(
        'std',
        ({ std }) => [std],
        ({ std }) => std,
      );
      check(
        'x',
        ({ xt }) => xt,
        (c, i) => Math.abs(c.std * c.x0[i]) + Math.abs(c.meanScale * c.x1[i]),
      );
      check(
        'velocity',
        ({ ut }) => ut,
        (c, i) => Math.abs(c.dStd * c.x0[i]) + Math.abs(c.dMeanScale * c.x1[i]),
      );
      for (const field of ['field', 'derived']) {
        check(
          field,
          ({ utAtOtherPoint }) => utAtOtherPoint.u,
          (c, i) => Math.abs(c.dStd / c.std) * spread(c, c.utAtOtherPoint.x[i], i) + Math.abs(c.dMeanScale * c.x1[i]),
        );
      }
      check(
        'score',
        ({ score }) => score,
        (c, i) => spread(c, c.xt[i], i) / c.std ** 2,
      );
      check(
        'logDensity',
        ({ logProb }) => [logProb],
        (c) =>
          Math.abs(c.logProb) + c.x0.reduce((sum, x0, i) => sum + (Math.abs(x0) * spread(c, c.xt[i], i)) / c.std, 0),
      );
    });
  }
});
