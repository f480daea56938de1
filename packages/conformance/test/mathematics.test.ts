import { readFileSync } from 'node:fs';
import { optimalTransport, builtinPlugins, dopri5, mlp, rk4 } from '@flow-matching/plugins';
import {
  conformance,
  mathematicsCases,
  pathCases,
  runConformance,
  solverCases,
  type TestRunner,
} from '@flow-matching/conformance';
import { createReferenceBackend } from '@flow-matching/tensor';
import { assert } from 'chai';
import { checkerboardValues } from '../src/mathematics/checkerboard.ts';
import {
  optimalTransportForm,
  trigonometricForm,
  varianceExplodingForm,
  variancePreservingForm,
  type ClosedFormAt,
} from '../src/mathematics/closedForms.ts';
import { mixtureValues, type MarginalValues } from '../src/mathematics/mixture.ts';

interface OracleCase {
  readonly path: string;
  readonly options: Readonly<Record<string, number>>;
}
interface PathOracle extends OracleCase {
  readonly t: number;
  readonly meanScale: number;
  readonly std: number;
  readonly dMeanScale: number;
  readonly dStd: number;
}
interface MarginalOracle extends OracleCase {
  readonly weights: number[];
  readonly means: number[][];
  readonly stds: number[];
  readonly points: readonly { t: number; x: number[]; logProb: number; field: number[]; score?: number[] }[];
}

const oracle = <T>(name: string): readonly T[] =>
  (
    JSON.parse(readFileSync(new URL(`../../../test/oracles/${name}.json`, import.meta.url), 'utf8')) as {
      cases: readonly T[];
    }
  ).cases;

const forms: Readonly<Record<string, (options: Readonly<Record<string, number>>) => ClosedFormAt>> = {
  'optimal-transport': ({ sigmaMin }) => optimalTransportForm(sigmaMin),
  'variance-preserving': ({ betaMin, betaMax }) => variancePreservingForm(betaMin, betaMax),
  'variance-exploding': ({ sigmaMin, sigmaMax }) => varianceExplodingForm(sigmaMin, sigmaMax),
  'custom-trigonometric': () => trigonometricForm,
};

const formOf = ({ path, options }: OracleCase): ClosedFormAt => forms[path](options);

/** Relative to the larger of the value and 1. */
const near = (actual: number, expected: number, within: number, what: string): void =>
  assert.isAtMost(Math.abs(actual - expected) / Math.max(1, Math.abs(expected)), within, what);

describe('closed forms of level 4', () => {
  it('are those of the conditional oracles', () => {
    for (const each of oracle<PathOracle>('paths')) {
      const { scale, std, scaleRate, stdRate } = formOf(each)(each.t);
      const what = `${each.path} at ${each.t}`;
      near(scale, each.meanScale, 1e-14, what);
      near(std, each.std, 1e-12, what);
      near(scaleRate, each.dMeanScale, 1e-12, what);
      near(stdRate, each.dStd, 1e-9, what);
    }
  });

  const check = (each: MarginalOracle, valuesAt: (t: number, x: readonly number[]) => MarginalValues): void => {
    for (const { t, x, logProb, field, score } of each.points) {
      const values = valuesAt(t, x);
      const what = `${each.path} at t = ${t}, x = ${x.join()}`;
      near(values.logDensity, logProb, 1e-9, what);
      field.forEach((value, d) => near(values.field[d], value, 1e-8, what));
      score?.forEach((value, d) => near(values.score[d], value, 1e-8, what));
    }
  };

  it('are those of the mixture oracles', () => {
    for (const each of oracle<MarginalOracle>('mixture-marginals'))
      check(each, (t, x) => mixtureValues(each, formOf(each)(t), x));
  });

  it('are those of the checkerboard oracles', () => {
    for (const each of oracle<MarginalOracle>('checkerboard-marginals'))
      check(each, (t, x) => checkerboardValues(formOf(each)(t), x));
  });
});

describe('level 4', () => {
  it('has every registered path, solver and model', () => {
    const ids = mathematicsCases().map(({ id }) => id);
    assert.strictEqual(new Set(ids).size, ids.length, 'ids differ');
    for (const { kind, pluginName } of builtinPlugins) {
      if (!['path', 'solver', 'model'].includes(kind)) continue;
      assert.isTrue(
        ids.some((id) => id.startsWith(`L4/${pluginName}`)),
        `cases of the ${kind} '${pluginName}'`,
      );
    }
  });

  it('passes on the reference for a path, a solver and a model of each kind', async () => {
    const chosen = [...pathCases(optimalTransport()), ...solverCases(rk4), ...solverCases(dopri5)];
    const { results, passed } = await runConformance(createReferenceBackend, { cases: chosen });
    assert.isTrue(passed, results.map(({ message }) => message).join('\n'));
    assert.isTrue(results.every(({ status }) => status === 'pass'));
  });

  it('passes the closed form, the field, the target and the rates of every registered path', async () => {
    const chosen = mathematicsCases().filter(({ id }) => /^L4\/[^/]+\/(closed form|field|target|rates)$/.test(id));
    const { results } = await runConformance(createReferenceBackend, { cases: chosen });
    assert.deepEqual(
      results.filter(({ status }) => status !== 'pass').map(({ id, message }) => `${id}: ${message}`),
      [],
    );
    assert.isAbove(results.length, 55);
  }).timeout(60_000);

  it('passes divergences, priors and likelihoods on the reference', async () => {
    const chosen = mathematicsCases().filter(({ id }) =>
      /^L4\/(divergence\/(exact|Hutchinson, )|sampling\/prior.*(exploding|per dimension)|variance-exploding\/Gaussian\/like)/.test(
        id,
      ),
    );
    const { results } = await runConformance(createReferenceBackend, { cases: chosen });
    assert.deepEqual(
      results.filter(({ status }) => status !== 'pass').map(({ id, message }) => `${id}: ${message}`),
      [],
    );
    assert.lengthOf(results, 9);
  }).timeout(60_000);

  it('is registered for third parties’ plugins, on the reference by default', async () => {
    const bodies: { title: string; body: () => Promise<void> }[] = [];
    const test: TestRunner = {
      describe: (_, define) => define(),
      it: (title, body) => bodies.push({ title, body: () => body.call({}) }),
    };
    conformance.path(optimalTransport(), { test, label: 'mine', filter: 'ends' });
    conformance.solver(rk4, { test, filter: 'order' });
    conformance.model(mlp({ width: 4, depth: 2 }), { test, shape: [3] });
    assert.include(bodies[0].title, 'L4/mine/ends');
    assert.isTrue(bodies.some(({ title }) => title.startsWith('L4/rk4/order')));
    assert.isTrue(bodies.some(({ title }) => title.startsWith('L4/mlp/adjoint')));
    for (const { body } of bodies) await body();
  });
});
